import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePorts as anyPorts, startPlatform } from '../../examples/platform/platform.ts'
import { cleanUp } from './cleanup.ts'
import { type Ask, send } from './client.ts'
import { start, temporaryFile } from './command.ts'
import { GrpcClient } from './grpc-client.ts'
import { freePorts, type RedisServer, startRedis } from './redis.ts'
import { startService } from './service.ts'
import { authority, writeLeaf } from './tls.ts'

const JWT_SECRET = 'a secret of at least thirty-two characters'
const API_KEY = 'the key of a partner'

/** Number of concurrent requests, which exceeds the service's connections and queue. */
const CROWD = 8

/** The remaining validity of the gateway's certificate, in milliseconds: two days, which is too short for both alerts. */
const CERTIFICATE_LEFT = 2 * 24 * 3_600_000

/** The service that suffers all failures. */
export const FRAGILE = 'fragile-service'

const gateway = new URL('../../src/gateway.ts', import.meta.url).href
const preload = new URL('kill-worker.ts', import.meta.url).href

/** A custom policy that does not work. */
const BROKEN = `
import { definePolicy, z } from ${JSON.stringify(gateway)}

export default definePolicy({
  name: 'broken',
  summary: 'Fails.',
  options: z.strictObject({}),
  create: () => () => () => { throw new Error('broken on purpose') },
})
`

/** The platform behind a gateway, and requests with every kind of outcome. */
export interface PlatformTraffic {
  readonly port: number
  readonly redis: RedisServer
  /** Sends one request of each kind. */
  readonly round: () => Promise<void>
  /** Kills one of the workers, as a crash would. */
  readonly killWorker: () => Promise<void>
}

/** Starts the platform, a Redis, a service that fails in every way, and a gateway from the command line in front of them. */
export async function startTraffic(t: TestContext): Promise<PlatformTraffic> {
  const platform = await startPlatform({ jwtSecret: JWT_SECRET, ports: anyPorts })
  cleanUp(t, () => platform.close())
  const redis = await startRedis(t)
  const [fragile, other] = [await startService(t, misbehave), await startService(t, misbehave)]
  const [dead] = await freePorts(1)
  const instances = (name: keyof typeof platform.instances): string =>
    JSON.stringify(platform.instances[name].map(({ url }) => url))
  const broken = await temporaryFile(t, 'broken.ts', BROKEN)
  const { cert, key } = writeLeaf(t, authority.issue({ notAfter: Date.now() + CERTIFICATE_LEFT }))
  const { command, port } = await start(
    t,
    `
listeners:
  - address: '127.0.0.1:0'
  - address: '127.0.0.1:0'
    tls:
      certificates: [{ cert: '${cert}', key: '${key}' }]
      acme: { domains: [shop.test], directory: 'https://127.0.0.1:${dead}/', folder: '${join(dirname(cert), 'acme')}' }
workers: 2
log: { access: false }
stores: { redis: { url: '${redis.url}', timeout: 500ms } }
services:
  user-service: { instances: ${instances('user-service')}, concurrency: { mode: adaptive } }
  order-service: { instances: ${instances('order-service')}, concurrency: { mode: adaptive } }
  inventory-service: { instances: ${instances('inventory-service')}, concurrency: { mode: adaptive } }
  ${FRAGILE}:
    instances: ['${fragile.url}', '${other.url}', 'http://127.0.0.1:${dead}']
    hedge: { after: 10ms }
    health: false
    timeouts: { response: 100ms }
    concurrency: { mode: adaptive }
    pool: { connections: 1, queue: 1, queueTimeout: 50ms }
  found-service:
    discover: { dns: { name: localhost, port: ${fragile.port}, type: A } }
    health: false
  dead-service:
    instances: ['http://127.0.0.1:${dead}']
    health: { interval: 100ms, unhealthyAfter: 1 }
ownPolicies: ['${broken}']
policies:
  correlation-id: {}
  auth:
    public: [/api/v1/auth/login, /fragile/*, /found, /dead, /limited, /broken]
    methods:
      jwt: { secret: '${JWT_SECRET}', issuer: user-service }
      api-key: { keys: [{ id: partner, sha256: ${createHash('sha256').update(API_KEY).digest('hex')} }] }
  rate-limit:
    tiers: { authenticated: 100000/h, unauthenticated: 100000/h, api_key: 100000/h }
routes:
  - { id: users, match: { path: [/api/v1/users/*, /api/v1/auth/*] }, service: user-service }
  - id: roles
    match: { path: /api/v1/roles/* }
    service: user-service
    policies: { auth: { require: { roles: [admin] } } }
  - { id: orders, match: { path: /api/v1/orders/* }, service: order-service, policies: { idempotency: {} } }
  - { id: found, match: { path: /found }, service: found-service }
  - id: products
    match: { path: /api/v1/products/* }
    service: inventory-service
    policies: { auth: { public: [/*] }, cache: { ttl: 1m } }
  - { id: fragile, match: { path: /fragile/* }, service: ${FRAGILE} }
  - { id: broken, match: { path: /broken }, service: ${FRAGILE}, policies: { broken: {} } }
  - { id: dead, match: { path: /dead }, service: dead-service }
  - id: limited
    match: { path: /limited }
    service: ${FRAGILE}
    policies: { rate-limit: { tiers: { unauthenticated: 1/h } } }
`,
    { preload },
  )
  const token = await logIn(port)
  const requests = requestsWith(token)
  const calls = new GrpcClient(t, `127.0.0.1:${port}`)
  let rounds = 0
  const round = async (): Promise<void> => {
    const fresh = { path: `/api/v1/products?round=${++rounds}` }
    for (const request of [...requests, fresh]) await send(port, request)
    await Promise.all(Array.from({ length: CROWD }, () => send(port, { path: '/fragile/slow' })))
    for (const path of ['ok', 'closed']) await calls.unary(`/fragile/${path}`)
    await sendNonsense(port)
  }
  const killWorker = async (): Promise<void> => {
    command.child.kill('SIGUSR2')
    await command.line('A worker died and is replaced')
  }
  return { port, redis, round, killWorker }
}

/** What the fragile service does on each path. */
const misdeeds: Readonly<Record<string, RequestListener>> = {
  '/fragile/ok': (_, response) => response.end('{}'),
  '/fragile/slow': () => {},
  '/fragile/closed': ({ socket }) => socket.destroy(),
  '/fragile/invalid': ({ socket }) => socket.end('nonsense\r\n\r\n'),
  '/fragile/failed': (_, response) => response.writeHead(500).end(),
}

function misbehave(...[request, response]: Parameters<RequestListener>): void {
  const act = misdeeds[request.url!] ?? misdeeds['/fragile/ok']!
  act(request, response)
}

function requestsWith(token: string): Ask[] {
  const user = { Authorization: `Bearer ${token}` }
  const order = JSON.stringify({ items: [{ productId: 'cup', quantity: 1 }] })
  return [
    { path: '/api/v1/users', headers: user },
    { path: '/api/v1/orders', headers: { 'X-API-Key': API_KEY } },
    { path: '/api/v1/orders', method: 'POST', headers: { ...user, 'Content-Type': 'application/json' }, body: order },
    ...[0, 1].map(() => ({
      path: '/api/v1/orders',
      method: 'POST',
      headers: { ...user, 'Content-Type': 'application/json', 'Idempotency-Key': '"again"' },
      body: order,
    })),
    { path: '/found' },
    { path: '/api/v1/orders' },
    { path: '/api/v1/orders', headers: { Authorization: 'Bearer nonsense' } },
    { path: '/api/v1/orders', headers: { 'X-API-Key': 'nonsense' } },
    { path: '/api/v1/roles', headers: user },
    { path: '/api/v1/products' },
    { path: '/api/v1/products', headers: { 'Cache-Control': 'no-cache' } },
    { path: '/nothing/here' },
    { path: '/limited' },
    { path: '/dead' },
    { path: '/broken' },
    ...['ok', 'ok', 'failed', 'closed', 'invalid'].map((path) => ({ path: `/fragile/${path}` })),
    { path: '/health' },
  ]
}

async function logIn(port: number): Promise<string> {
  const { text } = await send(port, {
    method: 'POST',
    path: '/api/v1/auth/login',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'alice@example.com', password: 'wonderland' }),
  })
  return (JSON.parse(text) as { token: string }).token
}

async function sendNonsense(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const closed = once(socket, 'close')
  socket.resume().end('nonsense\r\n\r\n')
  await closed
}
