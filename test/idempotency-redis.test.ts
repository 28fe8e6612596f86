import assert from 'node:assert/strict'
import { type RequestListener, type ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import { type Clock, systemClock } from '../src/core/clock.ts'
import type { GatewayInput } from '../src/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { cleanUp } from './support/cleanup.ts'
import { type Answer, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connectTo, startCluster, startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'

type Options = Exclude<NonNullable<NonNullable<GatewayInput['policies']>['idempotency']>, false>

/** Longer than by default, as the machine may be slow itself. */
const TIMEOUT = '1s'

function startOn(
  t: TestContext,
  redis: object,
  service: { url: string },
  options: Options = {},
  clock: Clock = systemClock,
) {
  return startGateway(
    t,
    proxyTo(service.url, { stores: { redis: { timeout: TIMEOUT, ...redis } }, policies: { idempotency: options } }),
    { clock },
  )
}

/** Clients use one name, whichever gateway it is. */
function post(port: number, key: string, body = 'a'): Promise<Answer> {
  return send(port, { method: 'POST', path: '/orders', body, headers: { Host: 'api.example', 'Idempotency-Key': key } })
}

function typeOf({ text }: Answer): string {
  return String((JSON.parse(text) as Record<string, unknown>)['type']).replace('urn:sallyport:error:idempotency-', '')
}

function numbered(): RequestListener {
  let done = 0
  return (_, response) => void response.writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'] }).end(`é ${++done}`)
}

async function keysIn(redis: Redis): Promise<string[]> {
  return (await redis.keys('*')).toSorted()
}

test('gateways that share a Redis execute a request only once', async (t) => {
  const server = await startRedis(t)
  const service = await startService(t, numbered())
  const gateways = await Promise.all([1, 2].map(() => startOn(t, { url: server.url }, service)))
  const first = await post(gateways[0]!.port, 'k')
  const again = await post(gateways[1]!.port, 'k')
  assert.deepEqual([first.status, first.text, first.headers['set-cookie']], [201, 'é 1', ['a=1', 'b=2']])
  assert.deepEqual([again.status, again.text, again.headers['set-cookie']], [201, 'é 1', ['a=1', 'b=2']])
  assert.equal(again.headers['idempotent-replayed'], 'true')
  assert.equal((await post(gateways[1]!.port, 'k', 'b')).status, 422)
  assert.equal(service.received.length, 1)
  const keys = await keysIn(connectTo(t, server))
  assert.deepEqual(
    [keys[0], keys[2], keys.length],
    ['sallyport:idempotency:{127.0.0.1}:kept', 'sallyport:idempotency:{127.0.0.1}:octets', 3],
  )
  assert.match(keys[1]!, /^sallyport:idempotency:\{127\.0\.0\.1\}:key:[\w-]{43}$/)
})

test('all keys in Redis expire with the ttl', async (t) => {
  const server = await startRedis(t)
  const service = await startService(t, numbered())
  const { port } = await startOn(t, { url: server.url }, service, { ttl: '1h' })
  await post(port, 'k')
  const redis = connectTo(t, server)
  for (const key of await keysIn(redis)) {
    const left = await redis.pttl(key)
    assert.ok(left > 3_500_000 && left <= 3_600_000, `${key} ${left}`)
  }
})

test('when a client exceeds its share, its oldest replies are evicted, and no others', async (t) => {
  const server = await startRedis(t)
  const service = await startService(t, (_, response) => void response.end('x'.repeat(1000)))
  const { port } = await startOn(t, { url: server.url }, service, { perClient: '4kb' })
  const other = {
    method: 'POST',
    path: '/orders',
    body: 'a',
    headers: { 'Idempotency-Key': 'k1' },
    localAddress: '127.0.0.2',
  }
  await send(port, other)
  for (const key of ['k1', 'k2', 'k3', 'k4']) await post(port, key)
  assert.equal(service.received.length, 5)
  for (const key of ['k4', 'k3']) assert.equal((await post(port, key)).headers['idempotent-replayed'], 'true')
  assert.equal((await send(port, other)).headers['idempotent-replayed'], 'true')
  assert.equal((await post(port, 'k1')).headers['idempotent-replayed'], undefined)
  const metrics = (await send(port, { path: '/metrics' })).text
  assert.match(metrics, /^sallyport_idempotency_evictions_total\{store="redis"\} [23]$/m)
})

test('during an outage of Redis requests with a key are rejected, or forwarded if configured', async (t) => {
  const server = await startRedis(t)
  const service = await startService(t, numbered())
  const closed = await startOn(t, { url: server.url }, service)
  const open = await startOn(t, { url: server.url }, service, { onStoreFailure: 'open' })
  await post(closed.port, 'before')
  await server.kill()
  const refused = await post(closed.port, 'k')
  assert.deepEqual([refused.status, typeOf(refused), refused.headers['retry-after']], [503, 'unavailable', '1'])
  assert.equal((await send(closed.port, { method: 'POST', body: 'a' })).status, 201)
  for (let i = 0; i < 2; i++) assert.equal((await post(open.port, 'k')).status, 201)
  assert.equal(service.received.length, 4)
  await server.start()
  await until('Redis to be used again', async () => (await post(closed.port, 'k')).status === 201)
  assert.equal((await post(closed.port, 'k')).headers['idempotent-replayed'], 'true')
})

test('a key that Redis stored although its answer came too late is usable again', async (t) => {
  const server = await startRedis(t)
  const service = await startService(t, numbered())
  const { port } = await startOn(t, { url: server.url, timeout: '50ms' }, service)
  const redis = connectTo(t, server)
  assert.equal((await post(port, 'before')).status, 201)
  server.pause()
  assert.equal((await post(port, 'k')).status, 503)
  server.resume()
  // The lookup is answered once Redis continues, and missed writes are made up for once it is known to respond.
  await until('the key to be usable', async () => (await post(port, 'k')).status === 201)
  assert.equal((await post(port, 'k')).headers['idempotent-replayed'], 'true')
  assert.equal(service.received.length, 2)
  assert.equal((await keysIn(redis)).filter((key) => key.includes(':key:')).length, 2)
})

/** A gateway that stops working while a service handles a request, and another one that continues with the same Redis. */
async function startLost(t: TestContext, options: Options) {
  const server = await startRedis(t)
  const waiting: ServerResponse[] = []
  const service = await startService(t, (_, response) => void waiting.push(response))
  // On a clock that stands still, it does not renew its lock, just as if it had been killed.
  const { port } = await startOn(t, { url: server.url }, service, {}, new ManualClock())
  const other = await startOn(t, { url: server.url }, service, options)
  const lost = post(port, 'k')
  cleanUp(t, () => {
    waiting[0]?.end()
    return lost
  })
  await until('the first request', () => waiting.length === 1)
  assert.equal(typeOf(await post(other.port, 'k')), 'outstanding')
  // As if it had expired.
  const redis = connectTo(t, server)
  const [key = ''] = await keysIn(redis)
  const [state, lease = 0] = await redis.hmget(key, 's', 'l')
  const [seconds, micros] = await redis.time()
  const left = Number(lease) - (Number(seconds) * 1000 + Number(micros) / 1000)
  assert.equal(state, 'lock')
  assert.ok(left > 0 && left <= 15_000, String(left))
  await redis.hset(key, 'l', '1')
  return { port: other.port, waiting }
}

test('when a gateway is lost, its key is not left outstanding, and the request is not executed again', async (t) => {
  const { port, waiting } = await startLost(t, {})
  assert.equal(typeOf(await post(port, 'k')), 'unrepeatable')
  assert.equal(waiting.length, 1)
})

test('with unrepeatable: forward the next request takes over the key', async (t) => {
  const { port, waiting } = await startLost(t, { unrepeatable: 'forward' })
  const again = post(port, 'k')
  await until('the next request', () => waiting.length === 2)
  assert.equal(typeOf(await post(port, 'k')), 'outstanding')
  waiting[1]!.end('done')
  assert.equal((await again).text, 'done')
  assert.equal((await post(port, 'k')).headers['idempotent-replayed'], 'true')
})

test('keys can be stored in a Cluster', async (t) => {
  const servers = await startCluster(t)
  const service = await startService(t, numbered())
  const { port } = await startOn(t, { cluster: servers.map(({ port: each }) => `127.0.0.1:${each}`) }, service)
  for (const localAddress of ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'])
    for (const replayed of [undefined, 'true']) {
      const headers = { 'Idempotency-Key': 'k' }
      const answer = await send(port, { method: 'POST', body: 'a', headers, localAddress })
      assert.deepEqual([answer.status, answer.headers['idempotent-replayed']], [201, replayed])
    }
})
