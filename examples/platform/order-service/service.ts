import { listen } from '../support/server.ts'
import type { InstanceOptions, RunningInstance } from '../support/server.ts'
import { openOrderDatabase } from './database.ts'
import type { OrderDatabase } from './database.ts'
import { orderItemEndpoints } from './order-items.ts'
import { orderEndpoints } from './orders.ts'
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
  return listen(
    {
      title: 'Order service',
      description: 'What users order, with the stock that the inventory service sets aside for it.',
      endpoints: [...orderEndpoints(database, createStock(options.inventoryUrl)), ...orderItemEndpoints(database)],
    },
    options,
  )
}
