import { DatabaseSync } from 'node:sqlite'
import { currency, identifier, timestamp } from '../support/fields.ts'
import { choice, integer, nullable, object, text } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, reader } from '../support/table.ts'
import type { Reader } from '../support/table.ts'

const asked = {
  orderId: identifier('order-1001'),
  amountCents: integer(4900, { minimum: 1 }),
  currency,
  method: choice('card', 'transfer'),
}

const made = {
  id: identifier('payment-1001'),
  userId: identifier('user-alice'),
  ...asked,
  status: choice('succeeded', 'refunded'),
  createdAt: timestamp,
}

/** What it takes to pay. */
export const paymentInput = object('PaymentInput', asked)

/** A payment as clients see it. */
export const paymentSchema = object('Payment', made)

const paymentRow = object('PaymentRow', { ...made, idempotencyKey: nullable(text('a UUID')) })

/** Money that moved, as it is stored and as clients see it: a refund is negative. */
export const transactionSchema = object('Transaction', {
  id: identifier('transaction-1001'),
  paymentId: identifier('payment-1001'),
  userId: identifier('user-alice'),
  kind: choice('charge', 'refund'),
  amountCents: integer(4900, { minimum: -1_000_000_000 }),
  currency,
  createdAt: timestamp,
})

/** A payment as it is stored. */
export type PaymentRow = Value<typeof paymentRow>

/** The tables of the payment service. */
export interface PaymentDatabase {
  readonly sql: DatabaseSync
  readonly payments: Reader<PaymentRow>
  readonly transactions: Reader<Value<typeof transactionSchema>>
}

/** A database in memory with one payment of user-alice in it. */
export function openPaymentDatabase(): PaymentDatabase {
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
  const money = { amountCents: 4900, currency: 'EUR', createdAt: '2026-01-15T10:31:00.000Z' }
  insert(sql, 'payments', {
    id: 'payment-1001',
    userId: 'user-alice',
    orderId: 'order-1001',
    ...money,
    method: 'card',
    status: 'succeeded',
    idempotencyKey: null,
  })
  insert(sql, 'transactions', {
    id: 'transaction-1001',
    paymentId: 'payment-1001',
    userId: 'user-alice',
    kind: 'charge',
    ...money,
  })
  return {
    sql,
    payments: reader(sql, 'payments', paymentRow, 'createdAt DESC, id'),
    transactions: reader(sql, 'transactions', transactionSchema, 'createdAt DESC, id'),
  }
}
