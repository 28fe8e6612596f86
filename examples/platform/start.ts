/** Starts the platform's eight instances: node examples/platform/start.ts [--host 127.0.0.1] [--port 0] */
import { parseArgs } from 'node:util'
import { freePorts, serviceNames, startPlatform, usualPorts } from './platform.ts'
import type { Platform } from './platform.ts'
import { describeFailure } from './support/failure.ts'
import { jwtSecretOf } from './support/secret.ts'

async function start(): Promise<Platform> {
  const { values } = parseArgs({ options: { host: { type: 'string' }, port: { type: 'string' } } })
  if (values.port !== undefined && values.port !== '0') {
    throw new Error('--port takes only 0, for free ports; the usual ports are 8001 to 8005, and 8011 to 8013')
  }
  const jwtSecret = jwtSecretOf(process.env)
  const introspectionSecret = process.env['INTROSPECTION_SECRET']
  return startPlatform({
    jwtSecret,
    ports: values.port === '0' ? freePorts : usualPorts,
    ...(values.host !== undefined && { host: values.host }),
    ...(introspectionSecret && { introspectionSecret }),
  })
}

try {
  const platform = await start()
  for (const { instance, url } of serviceNames.flatMap((name) => platform.instances[name])) {
    console.log(`${instance} listens on ${url}`)
  }
  const stop = (): void => void platform.close().then(() => process.exit(0))
  process.once('SIGINT', stop).once('SIGTERM', stop)
} catch (error) {
  console.error(describeFailure(error))
  process.exitCode = 1
}
