import { isAdmin, ownsOrAdmin } from '../support/access.ts'
import { byId, identifier, pageOf, paging } from '../support/fields.ts'
import { notFound } from '../support/problem.ts'
import type { App } from '../support/zod.ts'
import { type OrderDatabase, orderItem } from './database.ts'

/** The routes under /api/v1/order-items. */
export function orderItemRoutes(app: App, database: OrderDatabase): void {
  app.get(
    '/api/v1/order-items',
    {
      schema: {
        operationId: 'listOrderItems',
        summary: "The items of the caller's orders, or of one order",
        querystring: paging.extend({ orderId: identifier.optional() }),
        response: { 200: pageOf(orderItem) },
      },
    },
    ({ caller, query }) => {
      const filter = { owner: isAdmin(caller) ? null : caller.id, orderId: query.orderId ?? null }
      const where = `(:owner IS NULL OR orderId IN (SELECT id FROM orders WHERE userId = :owner))
        AND (:orderId IS NULL OR orderId = :orderId)`
      return database.items.page(where, filter, query)
    },
  )
  app.get(
    '/api/v1/order-items/:id',
    { schema: { operationId: 'getOrderItem', summary: 'One item', params: byId, response: { 200: orderItem } } },
    ({ caller, params: { id } }) => {
      const item = database.items.first('id = :id', { id })
      const order = item && database.orders.first('id = :orderId', { orderId: item.orderId })
      if (!order || !ownsOrAdmin(caller, order.userId)) throw notFound('order item', id)
      return item
    },
  )
}
