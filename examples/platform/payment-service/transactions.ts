import { endpoint, endpointWithQuery, ownsOrAdmin } from '../support/endpoint.ts'
import type { Endpoint } from '../support/endpoint.ts'
import { identifier } from '../support/fields.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { notFound } from '../support/problem.ts'
import { transactionSchema } from './database.ts'
import type { PaymentDatabase } from './database.ts'

/** The endpoints under /api/v1/transactions. */
export function transactionEndpoints(database: PaymentDatabase): Endpoint[] {
  return [
    endpointWithQuery(
      { ...pageFields, paymentId: identifier('payment-1001') },
      {
        id: 'listTransactions',
        method: 'GET',
        path: '/api/v1/transactions',
        summary: "The caller's transactions, newest first; an admin sees everyone's",
        access: 'user',
        status: [200],
        reply: pageOf('TransactionPage', transactionSchema),
      },
      ({ caller, query }) => {
        const owner = caller.roles.includes('admin') ? null : caller.id
        const where = '(:owner IS NULL OR userId = :owner) AND (:paymentId IS NULL OR paymentId = :paymentId)'
        const filter = { owner, paymentId: query.paymentId ?? null }
        return { status: 200, body: database.transactions.page(where, filter, pageWindow(query)) }
      },
    ),
    endpoint(
      {
        id: 'getTransaction',
        method: 'GET',
        path: '/api/v1/transactions/{id}',
        summary: 'One transaction',
        access: 'user',
        status: [200],
        reply: transactionSchema,
        problems: [404],
      },
      ({ caller, parameter }) => {
        const row = database.transactions.first('id = :id', { id: parameter('id') })
        if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('transaction', parameter('id'))
        return { status: 200, body: row }
      },
    ),
  ]
}
