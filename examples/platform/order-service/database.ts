import { DatabaseSync } from 'node:sqlite'
import { currency, identifier, timestamp } from '../support/fields.ts'
import { choice, integer, object, text } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, reader } from '../support/table.ts'
import type { Reader } from '../support/table.ts'

/** Where an order is on its way. */
export const orderStatus = choice('placed', 'paid', 'shipped', 'cancelled')

/** The members of an order beside its items. */
export const orderFields = {
  id: identifier('order-1001'),
  userId: identifier('user-alice'),
  status: orderStatus,
  totalCents: integer(4900, { maximum: Number.MAX_SAFE_INTEGER }),
  currency,
  /** What the inventory service has set aside. */
  reservationId: identifier('reservation-1001'),
  createdAt: timestamp,
}

const orderRow = object('OrderRow', orderFields)

/** One product of an order, as it is stored and as clients see it. */
export const orderItemSchema = object('OrderItem', {
  id: identifier('order-1001-1'),
  orderId: identifier('order-1001'),
  productId: identifier('teapot'),
  name: text('Teapot'),
  quantity: integer(2, { minimum: 1 }),
  unitPriceCents: integer(2450),
})

/** An order as it is stored: without its items. */
export type OrderRow = Value<typeof orderRow>

/** The tables of the order service; instances that share one serve the same orders. */
export interface OrderDatabase {
  readonly sql: DatabaseSync
  readonly orders: Reader<OrderRow>
  readonly items: Reader<Value<typeof orderItemSchema>>
}

/** A database in memory with one order of user-alice in it. */
export function openOrderDatabase(): OrderDatabase {
  const sql = new DatabaseSync(':memory:')
  sql.exec(`
    CREATE TABLE orders (
      id TEXT PRIMARY KEY, userId TEXT NOT NULL, status TEXT NOT NULL, totalCents INTEGER NOT NULL,
      currency TEXT NOT NULL, reservationId TEXT NOT NULL, createdAt TEXT NOT NULL
    ) STRICT;
    CREATE INDEX ordersByUser ON orders (userId);
    CREATE TABLE orderItems (
      id TEXT PRIMARY KEY, orderId TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE, productId TEXT NOT NULL,
      name TEXT NOT NULL, quantity INTEGER NOT NULL, unitPriceCents INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX orderItemsByOrder ON orderItems (orderId);
  `)
  insert(sql, 'orders', {
    id: 'order-1001',
    userId: 'user-alice',
    status: 'shipped',
    totalCents: 4900,
    currency: 'EUR',
    reservationId: 'reservation-1001',
    createdAt: '2026-01-15T10:30:00.000Z',
  })
  insert(sql, 'orderItems', {
    id: 'order-1001-1',
    orderId: 'order-1001',
    productId: 'teapot',
    name: 'Teapot',
    quantity: 2,
    unitPriceCents: 2450,
  })
  return {
    sql,
    orders: reader(sql, 'orders', orderRow, 'createdAt DESC, id'),
    items: reader(sql, 'orderItems', orderItemSchema, 'orderId, id'),
  }
}
