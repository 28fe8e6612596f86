import { endpoint, endpointWithQuery, ownsOrAdmin } from '../support/endpoint.ts'
import type { Endpoint } from '../support/endpoint.ts'
import { identifier } from '../support/fields.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { notFound } from '../support/problem.ts'
import { orderItemSchema } from './database.ts'
import type { OrderDatabase } from './database.ts'

/** The endpoints under /api/v1/order-items. */
export function orderItemEndpoints(database: OrderDatabase): Endpoint[] {
  return [
    endpointWithQuery(
      { ...pageFields, orderId: identifier('order-1001') },
      {
        id: 'listOrderItems',
        method: 'GET',
        path: '/api/v1/order-items',
        summary: "The items of the caller's orders, or of one order",
        access: 'user',
        status: [200],
        reply: pageOf('OrderItemPage', orderItemSchema),
      },
      ({ caller, query }) => {
        const owner = caller.roles.includes('admin') ? null : caller.id
        const where = `(:owner IS NULL OR orderId IN (SELECT id FROM orders WHERE userId = :owner))
          AND (:orderId IS NULL OR orderId = :orderId)`
        const page = database.items.page(where, { owner, orderId: query.orderId ?? null }, pageWindow(query))
        return { status: 200, body: page }
      },
    ),
    endpoint(
      {
        id: 'getOrderItem',
        method: 'GET',
        path: '/api/v1/order-items/{id}',
        summary: 'One item of an order',
        access: 'user',
        status: [200],
        reply: orderItemSchema,
        problems: [404],
      },
      ({ caller, parameter }) => {
        const id = parameter('id')
        const item = database.items.first('id = :id', { id })
        const order = item && database.orders.first('id = :orderId', { orderId: item.orderId })
        if (!order || !ownsOrAdmin(caller, order.userId)) throw notFound('order item', id)
        return { status: 200, body: item }
      },
    ),
  ]
}
