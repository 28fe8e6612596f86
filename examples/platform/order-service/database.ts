import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { currency, identifier, text, timestamp, whole } from '../support/fields.ts'
import { insert, reader } from '../support/table.ts'

const anOrder = {
  id: 'order-1001',
  userId: 'user-alice',
  status: 'shipped',
  totalCents: 4900,
  currency: 'EUR',
  reservationId: 'reservation-1001',
  createdAt: '2026-01-15T10:30:00.000Z',
}
const anItem = {
  id: 'order-1001-1',
  orderId: 'order-1001',
  productId: 'teapot',
  name: 'Teapot',
  quantity: 2,
  unitPriceCents: 2450,
}

/** One product of an order, as it is stored and as clients see it. */
export const orderItem = z
  .object({
    id: identifier,
    orderId: identifier,
    productId: identifier,
    name: text(),
    quantity: whole(1),
    unitPriceCents: whole(),
  })
  .meta({ id: 'OrderItem', examples: [anItem] })

const orderRow = z.object({
  id: identifier,
  userId: identifier,
  status: z.enum(['placed', 'paid', 'shipped', 'cancelled']),
  totalCents: whole(0, Number.MAX_SAFE_INTEGER),
  currency,
  /** What the inventory service has set aside. */
  reservationId: identifier,
  createdAt: timestamp,
})

/** An order as clients see it: with its items. */
export const order = orderRow
  .extend({ items: orderItem.array() })
  .meta({ id: 'Order', examples: [{ ...anOrder, items: [anItem] }] })

/** An order as it is stored. */
export type OrderRow = z.infer<typeof orderRow>

/** The tables of the order service; instances that share one serve the same orders. */
export type OrderDatabase = ReturnType<typeof openOrderDatabase>

/** A database in memory with one order of user-alice in it. */
export function openOrderDatabase() {
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
  insert(sql, 'orders', anOrder)
  insert(sql, 'orderItems', anItem)
  return {
    sql,
    orders: reader(sql, 'orders', orderRow, 'createdAt DESC, id'),
    items: reader(sql, 'orderItems', orderItem, 'orderId, id'),
  }
}
