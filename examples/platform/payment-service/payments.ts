import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { type Caller, isAdmin, ownsOrAdmin } from '../support/access.ts'
import { byId, identifier, pageOf, paging } from '../support/fields.ts'
import { notFound, problem, Problem } from '../support/problem.ts'
import { insert, transaction } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import { payment, type PaymentDatabase, type PaymentRow } from './database.ts'

const paymentInput = payment
  .pick({ orderId: true, amountCents: true, currency: true, method: true })
  .strict()
  .meta({ examples: [{ orderId: 'order-1001', amountCents: 4900, currency: 'EUR', method: 'card' }] })

type PaymentInput = z.infer<typeof paymentInput>

/** The routes under /api/v1/payments. */
export function paymentRoutes(app: App, database: PaymentDatabase): void {
  const find = (id: string, caller: Caller): PaymentRow => {
    const row = database.payments.first('id = :id', { id })
    if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('payment', id)
    return row
  }
  app.get(
    '/api/v1/payments',
    {
      schema: {
        operationId: 'listPayments',
        summary: "The caller's payments, newest first; an admin sees everyone's",
        querystring: paging.extend({ orderId: identifier.optional() }),
        response: { 200: pageOf(payment) },
      },
    },
    ({ caller, query }) => {
      const filter = { owner: isAdmin(caller) ? null : caller.id, orderId: query.orderId ?? null }
      const where = '(:owner IS NULL OR userId = :owner) AND (:orderId IS NULL OR orderId = :orderId)'
      return database.payments.page(where, filter, query)
    },
  )
  app.post(
    '/api/v1/payments',
    {
      schema: {
        operationId: 'pay',
        summary: 'Pays for an order; with an Idempotency-Key that was used before, answers with that payment (200)',
        body: paymentInput,
        response: { 200: payment, 201: payment },
      },
    },
    async ({ caller, body, headers }, reply) => {
      const key = headers['idempotency-key']
      const idempotencyKey = typeof key === 'string' ? key.slice(0, 200) : null
      const where = 'userId = :userId AND idempotencyKey = :idempotencyKey'
      const before = database.payments.first(where, { userId: caller.id, idempotencyKey })
      if (before) return reply.code(200).send(repeated(before, body))
      const row = pay(database, caller.id, body, idempotencyKey)
      return reply.code(201).header('Location', `/api/v1/payments/${row.id}`).send(row)
    },
  )
  app.get(
    '/api/v1/payments/:id',
    { schema: { operationId: 'getPayment', summary: 'One payment', params: byId, response: { 200: payment } } },
    ({ caller, params }) => find(params.id, caller),
  )
  app.post(
    '/api/v1/payments/:id/refund',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'refund',
        summary: 'Gives all of the money back',
        params: byId,
        response: { 200: payment, 409: problem },
      },
    },
    ({ caller, params }) => {
      const row = find(params.id, caller)
      if (row.status === 'refunded') throw new Problem(409, `The payment ${row.id} is refunded already.`)
      return refund(database, row)
    },
  )
}

function pay(
  database: PaymentDatabase,
  userId: string,
  input: PaymentInput,
  idempotencyKey: string | null,
): PaymentRow {
  const createdAt = new Date().toISOString()
  const row: PaymentRow = { ...input, id: randomUUID(), userId, status: 'succeeded', createdAt, idempotencyKey }
  transaction(database.sql, () => {
    insert(database.sql, 'payments', row)
    record(database, row, 'charge', row.amountCents)
  })
  return row
}

function refund(database: PaymentDatabase, row: PaymentRow): PaymentRow {
  return transaction(database.sql, () => {
    database.sql.prepare("UPDATE payments SET status = 'refunded' WHERE id = :id").run({ id: row.id })
    record(database, row, 'refund', -row.amountCents)
    return { ...row, status: 'refunded' }
  })
}

function record({ sql }: PaymentDatabase, row: PaymentRow, kind: 'charge' | 'refund', amountCents: number): void {
  const { id: paymentId, userId, currency } = row
  const createdAt = new Date().toISOString()
  insert(sql, 'transactions', { id: randomUUID(), paymentId, userId, kind, amountCents, currency, createdAt })
}

function repeated(before: PaymentRow, input: PaymentInput): PaymentRow {
  const { orderId, amountCents, currency, method } = input
  const same =
    before.orderId === orderId &&
    before.amountCents === amountCents &&
    before.currency === currency &&
    before.method === method
  if (same) return before
  throw new Problem(422, 'This Idempotency-Key was used for another payment.')
}
