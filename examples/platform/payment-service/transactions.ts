import { isAdmin, ownsOrAdmin } from '../support/access.ts'
import { byId, identifier, pageOf, paging } from '../support/fields.ts'
import { notFound } from '../support/problem.ts'
import type { App } from '../support/zod.ts'
import { movement, type PaymentDatabase } from './database.ts'

/** The routes under /api/v1/transactions. */
export function transactionRoutes(app: App, database: PaymentDatabase): void {
  app.get(
    '/api/v1/transactions',
    {
      schema: {
        operationId: 'listTransactions',
        summary: "The caller's transactions, newest first; an admin sees everyone's",
        querystring: paging.extend({ paymentId: identifier.optional() }),
        response: { 200: pageOf(movement) },
      },
    },
    ({ caller, query }) => {
      const filter = { owner: isAdmin(caller) ? null : caller.id, paymentId: query.paymentId ?? null }
      const where = '(:owner IS NULL OR userId = :owner) AND (:paymentId IS NULL OR paymentId = :paymentId)'
      return database.transactions.page(where, filter, query)
    },
  )
  app.get(
    '/api/v1/transactions/:id',
    {
      schema: { operationId: 'getTransaction', summary: 'One transaction', params: byId, response: { 200: movement } },
    },
    ({ caller, params: { id } }) => {
      const row = database.transactions.first('id = :id', { id })
      if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('transaction', id)
      return row
    },
  )
}
