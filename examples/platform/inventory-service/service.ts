import { type InstanceOptions, type RunningInstance, startService } from '../support/service.ts'
import { type InventoryDatabase, openInventoryDatabase } from './database.ts'
import { inventoryRoutes } from './inventory.ts'
import { productRoutes } from './products.ts'

/** What an instance of the inventory service needs. */
export interface InventoryServiceOptions extends InstanceOptions {
  /** Share one between the instances; an own one with the seed data when it is missing. */
  readonly database?: InventoryDatabase
}

/** Starts an instance of the inventory service: products, stock and reservations. */
export function createInventoryService(options: InventoryServiceOptions): Promise<RunningInstance> {
  const database = options.database ?? openInventoryDatabase()
  const description = 'Products, how many of them are in stock, and what is set aside for orders.'
  return startService({ title: 'Inventory service', description }, options, (app) => {
    productRoutes(app, database)
    inventoryRoutes(app, database)
  })
}
