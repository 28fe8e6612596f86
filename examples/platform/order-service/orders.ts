import { randomUUID } from 'node:crypto'
import { endpoint, endpointWithBody, endpointWithQuery, ownsOrAdmin } from '../support/endpoint.ts'
import type { Caller, Endpoint } from '../support/endpoint.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { Problem, notFound } from '../support/problem.ts'
import { list, object } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, transaction } from '../support/table.ts'
import { reservationInput } from '../inventory-service/reservation.ts'
import type { Reservation } from '../inventory-service/reservation.ts'
import { orderFields, orderItemSchema, orderStatus } from './database.ts'
import type { OrderDatabase, OrderRow } from './database.ts'
import type { Stock } from './stock.ts'

const orderSchema = object('Order', { ...orderFields, items: list(orderItemSchema) })

/** Which status may follow which. */
const nextStatus: Readonly<Record<OrderRow['status'], readonly OrderRow['status'][]>> = {
  placed: ['paid', 'cancelled'],
  paid: ['shipped', 'cancelled'],
  shipped: [],
  cancelled: [],
}

/** The endpoints under /api/v1/orders. */
export function orderEndpoints(database: OrderDatabase, stock: Stock): Endpoint[] {
  const withItems = (row: OrderRow): Value<typeof orderSchema> => ({
    ...row,
    items: database.items.all('orderId = :id', { id: row.id }),
  })
  const find = (id: string, caller: Caller): OrderRow => {
    const row = database.orders.first('id = :id', { id })
    if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('order', id)
    return row
  }
  return [
    endpointWithQuery(
      { ...pageFields, status: orderStatus },
      {
        id: 'listOrders',
        method: 'GET',
        path: '/api/v1/orders',
        summary: "The caller's orders, newest first; an admin sees everyone's",
        access: 'user',
        status: [200],
        reply: pageOf('OrderPage', orderSchema),
      },
      ({ caller, query }) => {
        const owner = caller.roles.includes('admin') ? null : caller.id
        const where = '(:owner IS NULL OR userId = :owner) AND (:status IS NULL OR status = :status)'
        const page = database.orders.page(where, { owner, status: query.status ?? null }, pageWindow(query))
        return { status: 200, body: { ...page, items: page.items.map(withItems) } }
      },
    ),
    endpointWithBody(
      reservationInput,
      {
        id: 'placeOrder',
        method: 'POST',
        path: '/api/v1/orders',
        summary: 'Places an order: the products are set aside at their prices of now',
        access: 'user',
        status: [201],
        reply: orderSchema,
        problems: [409, 503],
      },
      async ({ caller, body, headers }) => {
        const row = store(database, caller.id, await stock.reserve(body.items, headers))
        return { status: 201, headers: { Location: `/api/v1/orders/${row.id}` }, body: withItems(row) }
      },
    ),
    endpoint(
      {
        id: 'getOrder',
        method: 'GET',
        path: '/api/v1/orders/{id}',
        summary: 'One order',
        access: 'user',
        status: [200],
        reply: orderSchema,
        problems: [404],
      },
      ({ caller, parameter }) => ({ status: 200, body: withItems(find(parameter('id'), caller)) }),
    ),
    endpointWithBody(
      object('OrderChange', { status: { ...orderStatus, example: 'cancelled' as const } }),
      {
        id: 'changeOrder',
        method: 'PATCH',
        path: '/api/v1/orders/{id}',
        summary: 'Moves an order on: its owner may cancel it, an admin does the rest',
        access: 'user',
        status: [200],
        reply: orderSchema,
        problems: [403, 404, 409, 503],
      },
      async ({ caller, parameter, body, headers }) => {
        const row = find(parameter('id'), caller)
        const { status } = body
        if (status !== 'cancelled' && !caller.roles.includes('admin')) throw new Problem(403, 'You may only cancel it.')
        if (!nextStatus[row.status].includes(status)) {
          throw new Problem(409, `The order ${row.id} is ${row.status}: it cannot become ${status}.`)
        }
        if (status === 'cancelled') await stock.release(row.reservationId, headers)
        database.sql.prepare('UPDATE orders SET status = :status WHERE id = :id').run({ status, id: row.id })
        return { status: 200, body: withItems({ ...row, status }) }
      },
    ),
  ]
}

function store(database: OrderDatabase, userId: string, reservation: Reservation): OrderRow {
  const id = randomUUID()
  const order: OrderRow = {
    id,
    userId,
    status: 'placed',
    totalCents: reservation.items.reduce((sum, item) => sum + item.quantity * item.unitPriceCents, 0),
    currency: reservation.items[0]?.currency ?? 'EUR',
    reservationId: reservation.id,
    createdAt: new Date().toISOString(),
  }
  transaction(database.sql, () => {
    insert(database.sql, 'orders', { ...order })
    for (const [index, item] of reservation.items.entries()) {
      const { productId, name, quantity, unitPriceCents } = item
      insert(database.sql, 'orderItems', {
        id: `${id}-${index + 1}`,
        orderId: id,
        productId,
        name,
        quantity,
        unitPriceCents,
      })
    }
  })
  return order
}
