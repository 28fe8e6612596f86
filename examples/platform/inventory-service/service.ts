import { type InstanceOptions, type RunningInstance, startService } from '../support/service.ts'
import { type InventoryDatabase, openInventoryDatabase } from './database.ts'
import { startInventoryGrpc } from './grpc.ts'
import { inventoryRoutes } from './inventory.ts'
import { productRoutes } from './products.ts'

/** What an instance of the inventory service needs. */
export interface InventoryServiceOptions extends InstanceOptions {
  /** Share one between the instances; an own one with the seed data when it is missing. */
  readonly database?: InventoryDatabase
  /** Where it answers by gRPC, 0 for a free port; nowhere when it is missing. */
  readonly grpcPort?: number
}

/** An instance that listens, and where it answers by gRPC if it does. */
export interface RunningInventory extends RunningInstance {
  readonly grpcUrl: string | null
}

/** Starts an instance of the inventory service: products, stock and reservations. */
export async function createInventoryService(options: InventoryServiceOptions): Promise<RunningInventory> {
  const database = options.database ?? openInventoryDatabase()
  const description = 'Products, how many of them are in stock, and what is set aside for orders.'
  const running = await startService({ title: 'Inventory service', description }, options, (app) => {
    productRoutes(app, database)
    inventoryRoutes(app, database)
  })
  const { host, grpcPort } = options
  if (grpcPort === undefined) return { ...running, grpcUrl: null }
  const grpc = await startInventoryGrpc(database, { host, port: grpcPort }).catch(async (error: unknown) => {
    await running.close()
    throw error
  })
  return {
    ...running,
    grpcUrl: grpc.url,
    async close() {
      await Promise.all([running.close(), grpc.close()])
    },
  }
}
