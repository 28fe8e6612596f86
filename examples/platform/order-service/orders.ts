import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Reservation, reservationInput } from '../inventory-service/reservation.ts'
import { type Caller, isAdmin, ownsOrAdmin } from '../support/access.ts'
import { byId, pageOf, paging } from '../support/fields.ts'
import { notFound, problem, Problem } from '../support/problem.ts'
import { insert, transaction } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import { order, type OrderDatabase, type OrderRow } from './database.ts'
import type { Stock } from './stock.ts'

const { status } = order.shape
const orderChange = z.strictObject({ status }).meta({ examples: [{ status: 'cancelled' }] })

/** Which status may follow which. */
const nextStatus: Readonly<Record<OrderRow['status'], readonly OrderRow['status'][]>> = {
  placed: ['paid', 'cancelled'],
  paid: ['shipped', 'cancelled'],
  shipped: [],
  cancelled: [],
}

/** The routes under /api/v1/orders. */
export function orderRoutes(app: App, database: OrderDatabase, stock: Stock): void {
  const withItems = (row: OrderRow): z.infer<typeof order> => ({
    ...row,
    items: database.items.all('orderId = :id', { id: row.id }),
  })
  const find = (id: string, caller: Caller): OrderRow => {
    const row = database.orders.first('id = :id', { id })
    if (!row || !ownsOrAdmin(caller, row.userId)) throw notFound('order', id)
    return row
  }
  app.get(
    '/api/v1/orders',
    {
      schema: {
        operationId: 'listOrders',
        summary: "The caller's orders, newest first; an admin sees everyone's",
        querystring: paging.extend({ status: status.optional() }),
        response: { 200: pageOf(order) },
      },
    },
    ({ caller, query }) => {
      const filter = { owner: isAdmin(caller) ? null : caller.id, status: query.status ?? null }
      const where = '(:owner IS NULL OR userId = :owner) AND (:status IS NULL OR status = :status)'
      const page = database.orders.page(where, filter, query)
      return { ...page, items: page.items.map(withItems) }
    },
  )
  app.post(
    '/api/v1/orders',
    {
      schema: {
        operationId: 'placeOrder',
        summary: 'Places an order: the products are set aside at their prices of now',
        body: reservationInput,
        response: { 201: order, 409: problem, 503: problem },
      },
    },
    async ({ caller, body, headers }, reply) => {
      const row = store(database, caller.id, await stock.reserve(body, headers))
      return reply.code(201).header('Location', `/api/v1/orders/${row.id}`).send(withItems(row))
    },
  )
  app.get(
    '/api/v1/orders/:id',
    { schema: { operationId: 'getOrder', summary: 'One order', params: byId, response: { 200: order } } },
    ({ caller, params }) => withItems(find(params.id, caller)),
  )
  app.patch(
    '/api/v1/orders/:id',
    {
      schema: {
        operationId: 'changeOrder',
        summary: 'Moves an order on: its owner may cancel it, an admin does the rest',
        params: byId,
        body: orderChange,
        response: { 200: order, 403: problem, 409: problem, 503: problem },
      },
    },
    async ({ caller, params, body, headers }) => {
      const row = find(params.id, caller)
      if (body.status !== 'cancelled' && !isAdmin(caller)) throw new Problem(403, 'You may only cancel it.')
      if (!nextStatus[row.status].includes(body.status))
        throw new Problem(409, `The order ${row.id} is ${row.status}: it cannot become ${body.status}.`)
      if (body.status === 'cancelled') await stock.release(row.reservationId, headers)
      database.sql.prepare('UPDATE orders SET status = :status WHERE id = :id').run({ ...body, id: row.id })
      return withItems({ ...row, ...body })
    },
  )
}

function store({ sql }: OrderDatabase, userId: string, { id: reservationId, items }: Reservation): OrderRow {
  const row: OrderRow = {
    id: randomUUID(),
    userId,
    status: 'placed',
    totalCents: items.reduce((sum, item) => sum + item.quantity * item.unitPriceCents, 0),
    currency: items[0]?.currency ?? 'EUR',
    reservationId,
    createdAt: new Date().toISOString(),
  }
  transaction(sql, () => {
    insert(sql, 'orders', row)
    for (const [index, { currency: _, ...item }] of items.entries())
      insert(sql, 'orderItems', { ...item, id: `${row.id}-${index + 1}`, orderId: row.id })
  })
  return row
}
