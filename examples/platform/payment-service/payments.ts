import { randomUUID } from 'node:crypto'
import { endpoint, endpointWithBody, endpointWithQuery, ownsOrAdmin } from '../support/endpoint.ts'
import type { Caller, Endpoint } from '../support/endpoint.ts'
import { identifier } from '../support/fields.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { Problem, notFound } from '../support/problem.ts'
import type { Value } from '../support/schema.ts'
import { insert, transaction } from '../support/table.ts'
import { paymentInput, paymentSchema } from './database.ts'
import type { PaymentDatabase, PaymentRow } from './database.ts'

type Input = Value<typeof paymentInput>

/** The endpoints under /api/v1/payments. */
export function paymentEndpoints(database: PaymentDatabase): Endpoint[] {
  const find = (id: string, caller: Caller): PaymentRow => {
    const row = database.payments.first('id = :id', { id })
    if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('payment', id)
    return row
  }
  return [
    endpointWithQuery(
      { ...pageFields, orderId: identifier('order-1001') },
      {
        id: 'listPayments',
        method: 'GET',
        path: '/api/v1/payments',
        summary: "The caller's payments, newest first; an admin sees everyone's",
        access: 'user',
        status: [200],
        reply: pageOf('PaymentPage', paymentSchema),
      },
      ({ caller, query }) => {
        const owner = caller.roles.includes('admin') ? null : caller.id
        const where = '(:owner IS NULL OR userId = :owner) AND (:orderId IS NULL OR orderId = :orderId)'
        const page = database.payments.page(where, { owner, orderId: query.orderId ?? null }, pageWindow(query))
        return { status: 200, body: { ...page, items: page.items.map(toPayment) } }
      },
    ),
    endpointWithBody(
      paymentInput,
      {
        id: 'pay',
        method: 'POST',
        path: '/api/v1/payments',
        summary: 'Pays for an order; with an Idempotency-Key that was used before, answers with that payment (200)',
        access: 'user',
        status: [201, 200],
        reply: paymentSchema,
      },
      ({ caller, body, headers }) => {
        const key = headers['idempotency-key']
        const idempotencyKey = typeof key === 'string' ? key.slice(0, 200) : null
        const before = database.payments.first('userId = :userId AND idempotencyKey = :idempotencyKey', {
          userId: caller.id,
          idempotencyKey,
        })
        if (before) return { status: 200, body: toPayment(repeated(before, body)) }
        const row = pay(database, caller.id, body, idempotencyKey)
        return { status: 201, headers: { Location: `/api/v1/payments/${row.id}` }, body: toPayment(row) }
      },
    ),
    endpoint(
      {
        id: 'getPayment',
        method: 'GET',
        path: '/api/v1/payments/{id}',
        summary: 'One payment',
        access: 'user',
        status: [200],
        reply: paymentSchema,
        problems: [404],
      },
      ({ caller, parameter }) => ({ status: 200, body: toPayment(find(parameter('id'), caller)) }),
    ),
    endpoint(
      {
        id: 'refund',
        method: 'POST',
        path: '/api/v1/payments/{id}/refund',
        summary: 'Gives all of the money back',
        access: 'admin',
        status: [200],
        reply: paymentSchema,
        problems: [404, 409],
      },
      ({ caller, parameter }) => {
        const row = find(parameter('id'), caller)
        if (row.status === 'refunded') throw new Problem(409, `The payment ${row.id} is refunded already.`)
        return { status: 200, body: toPayment(refund(database, row)) }
      },
    ),
  ]
}

function pay(database: PaymentDatabase, userId: string, input: Input, idempotencyKey: string | null): PaymentRow {
  const createdAt = new Date().toISOString()
  const row: PaymentRow = { ...input, id: randomUUID(), userId, status: 'succeeded', createdAt, idempotencyKey }
  transaction(database.sql, () => {
    insert(database.sql, 'payments', { ...row })
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

function record(database: PaymentDatabase, row: PaymentRow, kind: 'charge' | 'refund', amountCents: number): void {
  insert(database.sql, 'transactions', {
    id: randomUUID(),
    paymentId: row.id,
    userId: row.userId,
    kind,
    amountCents,
    currency: row.currency,
    createdAt: new Date().toISOString(),
  })
}

function repeated(before: PaymentRow, input: Input): PaymentRow {
  const same =
    before.orderId === input.orderId &&
    before.amountCents === input.amountCents &&
    before.currency === input.currency &&
    before.method === input.method
  if (same) return before
  throw new Problem(422, 'This Idempotency-Key was used for another payment.')
}

function toPayment(row: PaymentRow): Value<typeof paymentSchema> {
  const { idempotencyKey: _, ...payment } = row
  return payment
}
