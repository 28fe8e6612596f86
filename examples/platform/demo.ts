/** Runs the platform and the gateway in front of it until Ctrl-C: npm run demo, with TLS by npm run demo -- --tls */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { get as getSecurely } from 'node:https'
import { createServer } from 'node:net'
import { setInterval } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { banner } from './banner.ts'
import { type DemoConfiguration, prepareConfiguration } from './demo-configuration.ts'
import { startWhereFree, usualPorts } from './platform.ts'
import type { Platform, ServiceName } from './platform.ts'
import { describeFailure } from './support/failure.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const host = '127.0.0.1'
const port = Number(process.env['PORT'] || 8000)
const adminPort = Number(process.env['ADMIN_PORT'] || 9000)
const adminUrl = `http://${host}:${adminPort}`
/** How long the gateway may take until it is ready, in milliseconds. */
const startTimeout = 30_000

/**
 * 1. Make sure that the gateway's ports are free: it shares them among threads, and would share them with a stranger. Make its
 *    configuration, and a certificate if TLS is asked for.
 * 2. Start the platform in this process.
 * 3. Start the gateway as a process of its own, as in production.
 * 4. Wait until it is ready, and say what to try.
 * 5. Run until a signal comes, and stop everything.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { tls: { type: 'boolean', default: false } } })
  // 1.
  await requireFree(port, 'PORT')
  await requireFree(adminPort, 'ADMIN_PORT')
  const configuration = prepareConfiguration(values.tls)
  try {
    await run(configuration)
  } finally {
    configuration.remove()
  }
}

async function run({ config, ca }: DemoConfiguration): Promise<void> {
  const url = `${ca === null ? 'http' : 'https'}://${host}:${port}`
  // 2.
  const jwtSecret = randomBytes(32).toString('hex')
  const apiKey = randomBytes(24).toString('base64url')
  const platform = await startWhereFree({ jwtSecret, ports: usualPorts, host }, (taken) =>
    console.log(`${taken}: the services of the demo listen on free ports instead.`),
  )
  const [drained] = platform.instances['inventory-service']
  const inventory = new URL(drained?.url ?? '').host
  // 3.
  const stopped = stopSignal()
  const gateway = startGateway(platform, config, jwtSecret, apiKey)
  const ended = once(gateway, 'exit')
  const died = failUnless(stopped, ended)
  try {
    // 4.
    const demo = { url, adminUrl, apiKey, inventory, grpc: true, ...(ca !== null && { ca }) }
    if (await Promise.race([ready(url, ca, stopped), died])) console.log(banner(demo))
    // 5.
    if (!stopped.aborted) await Promise.race([once(stopped, 'abort'), died])
  } finally {
    gateway.kill('SIGTERM')
    await ended
    await platform.close()
  }
}

/** Rejects when the gateway ends before the demo was stopped. */
async function failUnless(stopped: AbortSignal, ended: Promise<unknown>): Promise<void> {
  await ended
  if (!stopped.aborted) throw new Error('The gateway has ended by itself: see above.')
}

function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  const stop = (): void => stopping.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return stopping.signal
}

async function requireFree(wanted: number, variable: string): Promise<void> {
  const probe = createServer()
  try {
    await once(probe.listen({ host, port: wanted }), 'listening')
  } catch (error) {
    const advice = `Or choose another: ${variable}=${wanted + 80} npm run demo`
    throw new Error(`${describeFailure(error)} ${advice}`, { cause: error })
  }
  await once(probe.close(), 'close')
}

function startGateway(platform: Platform, config: string, jwtSecret: string, apiKey: string): ChildProcess {
  const urls = (service: ServiceName): string => platform.instances[service].map((instance) => instance.url).join(',')
  return spawn(process.execPath, ['src/main.ts', 'start', '--config', config], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      SALLYPORT_ADDRESS: `${host}:${port}`,
      SALLYPORT_ADMIN_ADDRESS: `${host}:${adminPort}`,
      USER_SERVICE_URL: urls('user-service'),
      ORDER_SERVICE_URL: urls('order-service'),
      INVENTORY_SERVICE_URL: urls('inventory-service'),
      INVENTORY_GRPC_URL: platform.inventoryGrpcUrls.join(','),
      PAYMENT_SERVICE_URL: urls('payment-service'),
      NOTIFICATION_SERVICE_URL: urls('notification-service'),
      JWT_SECRET: jwtSecret,
      PARTNER_KEY_SHA256: hash('sha256', apiKey),
      LOG_LEVEL: 'info',
    },
  })
}

/** Whether the gateway became ready before the demo was stopped. */
async function ready(url: string, caFile: string | null, stopped: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + startTimeout
  const ca = caFile === null ? null : readFileSync(caFile)
  for await (const _ of setInterval(250)) {
    if (stopped.aborted) return false
    const status = await statusOf(`${url}/health/ready`, ca)
    if (status === 200) return true
    if (Date.now() > deadline) throw new Error(`The gateway is not ready: ${url}/health/ready answers ${status}.`)
  }
  return false
}

function statusOf(address: string, ca: Buffer | null): Promise<number | 'nothing'> {
  return new Promise((resolve) => {
    const timeout = AbortSignal.timeout(2000)
    const request =
      ca === null ? get(address, { signal: timeout }) : getSecurely(address, { ca, agent: false, signal: timeout })
    request.on('response', (response) => resolve(response.resume().statusCode ?? 'nothing'))
    request.on('error', () => resolve('nothing'))
  })
}

try {
  await main()
  process.exit(0)
} catch (error) {
  console.error(describeFailure(error))
  process.exit(1)
}
