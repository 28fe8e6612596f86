/** Starts one instance of one service: node examples/platform/serve.ts user-service [--host 127.0.0.1] [--port 8001] */
import { parseArgs } from 'node:util'
import { createInventoryService } from './inventory-service/service.ts'
import { createNotificationService } from './notification-service/service.ts'
import { createOrderService } from './order-service/service.ts'
import { createPaymentService } from './payment-service/service.ts'
import { grpcPortFor, type ServiceName, serviceNames, usualPorts } from './platform.ts'
import { describeFailure } from './support/failure.ts'
import { jwtSecretOf } from './support/secret.ts'
import type { InstanceOptions, RunningInstance } from './support/service.ts'
import { createUserService } from './user-service/service.ts'

const inventoryUrl = process.env['INVENTORY_SERVICE_URL'] || 'http://inventory-service:8003'

const services: Readonly<Record<ServiceName, (options: InstanceOptions) => Promise<RunningInstance>>> = {
  'user-service': createUserService,
  'order-service': (options) => createOrderService({ ...options, inventoryUrl }),
  'inventory-service': (options) => createInventoryService({ ...options, grpcPort: grpcPortFor(options.port) }),
  'payment-service': createPaymentService,
  'notification-service': createNotificationService,
}

async function start(): Promise<RunningInstance> {
  const { values, positionals } = parseArgs({
    options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string' } },
    allowPositionals: true,
  })
  const name = serviceNames.find((each) => each === positionals[0])
  if (name === undefined) throw new Error(`Which service? Name one of: ${serviceNames.join(', ')}`)
  const jwtSecret = jwtSecretOf(process.env)
  const port = Number(values.port ?? usualPorts[name][0])
  return services[name]({ instance: `${name}-1`, host: values.host, port, jwtSecret })
}

try {
  const running = await start()
  console.log(`${running.instance} listens on ${running.url}`)
  const stop = (): void => void running.close().then(() => process.exit(0))
  process.once('SIGINT', stop).once('SIGTERM', stop)
} catch (error) {
  console.error(describeFailure(error))
  process.exitCode = 1
}
