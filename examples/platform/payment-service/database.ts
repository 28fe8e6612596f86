import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { currency, identifier, timestamp, whole } from '../support/fields.ts'
import { insert, reader } from '../support/table.ts'

const money = { amountCents: 4900, currency: 'EUR', createdAt: '2026-01-15T10:31:00.000Z' }
const aPayment = {
  id: 'payment-1001',
  userId: 'user-alice',
  orderId: 'order-1001',
  method: 'card',
  status: 'succeeded',
  ...money,
}
const aTransaction = {
  id: 'transaction-1001',
  paymentId: 'payment-1001',
  userId: 'user-alice',
  kind: 'charge',
  ...money,
}

/** A payment as clients see it. */
export const payment = z
  .object({
    id: identifier,
    userId: identifier,
    orderId: identifier,
    amountCents: whole(1),
    currency,
    method: z.enum(['card', 'transfer']),
    status: z.enum(['succeeded', 'refunded']),
    createdAt: timestamp,
  })
  .meta({ id: 'Payment', examples: [aPayment] })

const paymentRow = payment.extend({ idempotencyKey: z.string().nullable() })

/** Money that moved, as it is stored and as clients see it: a refund is negative. */
export const movement = z
  .object({
    id: identifier,
    paymentId: identifier,
    userId: identifier,
    kind: z.enum(['charge', 'refund']),
    amountCents: whole(-1_000_000_000),
    currency,
    createdAt: timestamp,
  })
  .meta({ id: 'Transaction', examples: [aTransaction] })

/** A payment as it is stored. */
export type PaymentRow = z.infer<typeof paymentRow>

/** The tables of the payment service. */
export type PaymentDatabase = ReturnType<typeof openPaymentDatabase>

/** A database in memory with one payment of user-alice in it. */
export function openPaymentDatabase() {
  const sql = new DatabaseSync(':memory:')
  sql.exec(`
    CREATE TABLE payments (
      id TEXT PRIMARY KEY, userId TEXT NOT NULL, orderId TEXT NOT NULL, amountCents INTEGER NOT NULL,
      currency TEXT NOT NULL, method TEXT NOT NULL, status TEXT NOT NULL, createdAt TEXT NOT NULL, idempotencyKey TEXT,
      UNIQUE (userId, idempotencyKey)
    ) STRICT;
    CREATE TABLE transactions (
      id TEXT PRIMARY KEY, paymentId TEXT NOT NULL REFERENCES payments (id), userId TEXT NOT NULL, kind TEXT NOT NULL,
      amountCents INTEGER NOT NULL, currency TEXT NOT NULL, createdAt TEXT NOT NULL
    ) STRICT;
  `)
  insert(sql, 'payments', aPayment)
  insert(sql, 'transactions', aTransaction)
  return {
    sql,
    payments: reader(sql, 'payments', paymentRow, 'createdAt DESC, id'),
    transactions: reader(sql, 'transactions', movement, 'createdAt DESC, id'),
  }
}
