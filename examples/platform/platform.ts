import { openInventoryDatabase } from './inventory-service/database.ts'
import { createInventoryService, type RunningInventory } from './inventory-service/service.ts'
import { createNotificationService } from './notification-service/service.ts'
import { openOrderDatabase } from './order-service/database.ts'
import { createOrderService } from './order-service/service.ts'
import { createPaymentService } from './payment-service/service.ts'
import { takenPort } from './support/failure.ts'
import type { InstanceOptions, RunningInstance } from './support/service.ts'
import { openUserDatabase } from './user-service/database.ts'
import { createUserService } from './user-service/service.ts'

/** The services of the platform. */
export const serviceNames = [
  'user-service',
  'order-service',
  'inventory-service',
  'payment-service',
  'notification-service',
] as const

/** The name of one of the services. */
export type ServiceName = (typeof serviceNames)[number]

/** One port for each instance of each service; 0 takes a free one. */
export type Ports = Readonly<Record<ServiceName, readonly number[]>>

/** The ports of the specification, and for each second instance the port ten above. */
export const usualPorts: Ports = {
  'user-service': [8001, 8011],
  'order-service': [8002, 8012],
  'inventory-service': [8003, 8013],
  'payment-service': [8004],
  'notification-service': [8005],
}

/** Where an instance of the inventory service answers by gRPC: a hundred ports above, or at a free one. */
export function grpcPortFor(port: number): number {
  return port === 0 ? 0 : port + 100
}

/** A free port for each instance. */
export const freePorts: Ports = {
  'user-service': [0, 0],
  'order-service': [0, 0],
  'inventory-service': [0, 0],
  'payment-service': [0],
  'notification-service': [0],
}

/** How the platform is started. */
export interface PlatformOptions {
  /** Signs and verifies the user service's tokens (HS256). */
  readonly jwtSecret: string
  /** See the user service. */
  readonly introspectionSecret?: string
  /** The port of each instance: usualPorts, or freePorts. */
  readonly ports: Ports
  /** The address to listen on; 127.0.0.1 when it is missing. */
  readonly host?: string
}

/** A platform whose instances listen. */
export interface Platform {
  readonly instances: Readonly<Record<ServiceName, readonly RunningInstance[]>>
  /** Where the inventory service answers by gRPC. */
  readonly inventoryGrpcUrls: readonly string[]
  /** Stops every instance when its requests in flight are answered. */
  close(): Promise<void>
}

/** Starts the eight instances in this process; rejects, and leaves none behind, when a port is taken. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const running: RunningInstance[] = []
  const close = async (): Promise<void> => {
    await Promise.all(running.map((instance) => instance.close()))
  }
  const start = async <Running extends RunningInstance>(
    service: ServiceName,
    create: (instance: InstanceOptions) => Promise<Running>,
  ): Promise<Running[]> => {
    const { jwtSecret, host = '127.0.0.1', ports } = options
    const made: Running[] = []
    for (const [index, port] of ports[service].entries()) {
      const instance = await create({ instance: `${service}-${index + 1}`, port, jwtSecret, host })
      running.push(instance)
      made.push(instance)
    }
    return made
  }

  try {
    const { introspectionSecret } = options
    const users = await openUserDatabase()
    const stock = openInventoryDatabase()
    const orders = openOrderDatabase()
    const inventory = await start<RunningInventory>('inventory-service', (instance) =>
      createInventoryService({ ...instance, database: stock, grpcPort: grpcPortFor(instance.port) }),
    )
    const inventoryUrl = inventory[0]?.url ?? ''
    const instances = {
      'user-service': await start('user-service', (instance) =>
        createUserService({
          ...instance,
          ...(introspectionSecret !== undefined && { introspectionSecret }),
          database: users,
        }),
      ),
      'order-service': await start('order-service', (instance) =>
        createOrderService({ ...instance, inventoryUrl, database: orders }),
      ),
      'inventory-service': inventory,
      'payment-service': await start('payment-service', createPaymentService),
      'notification-service': await start('notification-service', createNotificationService),
    }
    return { instances, inventoryGrpcUrls: inventory.flatMap(({ grpcUrl }) => grpcUrl ?? []), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Starts the platform; on free ports if one of `options.ports` is in use, which are then passed to `report`. */
export async function startWhereFree(options: PlatformOptions, report: (taken: string) => void): Promise<Platform> {
  try {
    return await startPlatform(options)
  } catch (error) {
    const taken = error instanceof Error ? takenPort(error) : null
    if (taken === null) throw error
    report(taken.words)
    return startPlatform({ ...options, ports: freePorts })
  }
}
