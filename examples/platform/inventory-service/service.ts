import { listen } from '../support/server.ts'
import type { InstanceOptions, RunningInstance } from '../support/server.ts'
import { openInventoryDatabase } from './database.ts'
import type { InventoryDatabase } from './database.ts'
import { inventoryEndpoints } from './inventory.ts'
import { productEndpoints } from './products.ts'

/** What an instance of the inventory service needs. */
export interface InventoryServiceOptions extends InstanceOptions {
  /** Share one between the instances; an own one with the seed data when it is missing. */
  readonly database?: InventoryDatabase
}

/** Starts an instance of the inventory service: products, stock and reservations. */
export function createInventoryService(options: InventoryServiceOptions): Promise<RunningInstance> {
  const database = options.database ?? openInventoryDatabase()
  return listen(
    {
      title: 'Inventory service',
      description: 'Products, how many of them are in stock, and what is set aside for orders.',
      endpoints: [...productEndpoints(database), ...inventoryEndpoints(database)],
    },
    options,
  )
}
