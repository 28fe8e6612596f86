import { type InstanceOptions, type RunningInstance, startService } from '../support/service.ts'
import { openOrderDatabase, type OrderDatabase } from './database.ts'
import { orderItemRoutes } from './order-items.ts'
import { orderRoutes } from './orders.ts'
import { createStock } from './stock.ts'

/** What an instance of the order service needs. */
export interface OrderServiceOptions extends InstanceOptions {
  /** The base URL of the inventory service: http://127.0.0.1:8003. */
  readonly inventoryUrl: string
  /** Share one between the instances; an own one with the seed data when it is missing. */
  readonly database?: OrderDatabase
}

/** Starts an instance of the order service: orders and their items. */
export function createOrderService(options: OrderServiceOptions): Promise<RunningInstance> {
  const database = options.database ?? openOrderDatabase()
  const description = 'What users order, with the stock that the inventory service sets aside for it.'
  return startService({ title: 'Order service', description }, options, (app) => {
    orderRoutes(app, database, createStock(options.inventoryUrl))
    orderItemRoutes(app, database)
  })
}
