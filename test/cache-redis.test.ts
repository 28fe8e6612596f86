import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { type Ask, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { PacedClock } from './support/paced-clock.ts'
import { connectTo, type RedisServer, startCluster, startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'

const DOWN = 'Redis cannot be used: the gateway continues without it'
/** How long an answer of Redis may take if it responds: far longer than by default, as the machine may be slow. */
const PATIENT = '10s'
/** The same if it does not respond. */
const IMPATIENT = '1s'
/** How long a request may take however Redis fails, in milliseconds: far less than any other timeout. */
const PROMPT = 4000

/** Two gateways that share a Redis, in front of the same service. */
async function setUp(t: TestContext, redis: object, listener: RequestListener) {
  const service = await startService(t, listener)
  const stores = { redis: { timeout: PATIENT, ...redis } } as const
  const config = proxyTo(service.url, { stores, policies: { cache: { store: 'redis', maxBody: '10mb' } } })
  const gateways = await Promise.all([startGateway(t, config), startGateway(t, config)])
  const [a, b] = gateways.map(
    ({ port }) =>
      (more: Ask = {}) =>
        send(port, { headers: { host: 'h' }, ...more }),
  )
  return { service, a: a!, b: b!, log: gateways[0].log }
}

const status = async (answer: Promise<Awaited<ReturnType<typeof send>>>): Promise<string> =>
  String((await answer).headers['cache-status'])

const fresh: RequestListener = (_, response) => response.setHeader('Cache-Control', 'max-age=60').end('hello')

async function onCluster(t: TestContext): Promise<object> {
  const servers = await startCluster(t)
  return { cluster: servers.map(({ port }) => `127.0.0.1:${port}`) }
}

const places: Readonly<Record<string, (t: TestContext) => Promise<object>>> = {
  'one Redis': async (t) => ({ url: (await startRedis(t)).url }),
  'a Cluster': onCluster,
}

for (const [place, start] of Object.entries(places))
  test(`${place}: a reply stored by one gateway is used by another, until an unsafe request through either`, async (t) => {
    const { service, a, b } = await setUp(t, await start(t), fresh)
    for (const path of ['/a', '/b', '/c']) {
      assert.match(await status(a({ path })), /fwd=uri-miss; stored$/)
      await until('the stored entry', async () => (await status(a({ path }))).startsWith('sallyport; hit'))
      const hit = await b({ path })
      assert.match(String(hit.headers['cache-status']), /^sallyport; hit; ttl=/)
      assert.equal(hit.body.toString(), 'hello')
      await b({ path, method: 'POST' })
      assert.match(await status(a({ path })), /fwd=uri-miss/)
    }
    assert.equal(service.received.filter(({ method }) => method === 'GET').length, 6)
  })

test('a large body comes back unchanged from Redis, as a whole, as a range and as 304', async (t) => {
  const content = randomBytes(3_000_001)
  const { url } = await startRedis(t)
  const { a, b } = await setUp(t, { url }, (_, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.setHeader('ETag', '"1"')
    response.end(content)
  })
  await a()
  await until('the stored entry', async () => (await status(a())).startsWith('sallyport; hit'))
  const [whole, again] = await Promise.all([b(), b()])
  for (const { headers, body } of [whole, again]) {
    assert.match(String(headers['cache-status']), /^sallyport; hit/)
    assert.ok(body.equals(content))
  }
  const part = await b({ headers: { host: 'h', range: 'bytes=1000000-1000009' } })
  assert.equal(part.status, 206)
  assert.ok(part.body.equals(content.subarray(1_000_000, 1_000_010)))
  assert.equal((await b({ headers: { host: 'h', 'if-none-match': '"1"' } })).status, 304)
  const head = await b({ method: 'HEAD' })
  assert.equal(head.headers['content-length'], '3000001')
})

test('requests that wait for an identical request are answered from Redis', async (t) => {
  const waiting: (() => void)[] = []
  const { url } = await startRedis(t)
  const { service, a } = await setUp(t, { url }, (request, response) => {
    waiting.push(() => fresh(request, response))
  })
  const first = a()
  await until('the first request', () => waiting.length === 1)
  const others = [a(), a(), a()]
  waiting[0]!()
  assert.match(await status(first), /stored$/)
  for (const other of others) assert.match(await status(other), /collapsed|hit/)
  assert.equal(service.received.length, 1)
})

test('one late answer of Redis does not keep a reply from being stored, nor requests from waiting for it', async (t) => {
  const waiting: (() => void)[] = []
  const server = await startRedis(t)
  const { service, a } = await setUp(t, { url: server.url, timeout: IMPATIENT }, (request, response) => {
    if (waiting.length > 0) return fresh(request, response)
    waiting.push(() => fresh(request, response))
  })
  server.pause()
  const replies = [a(), a(), a()]
  await until('the first request', () => waiting.length === 1)
  server.resume()
  waiting[0]!()
  assert.deepEqual((await Promise.all(replies.map(status))).toSorted(), [
    'sallyport; fwd=uri-miss; collapsed',
    'sallyport; fwd=uri-miss; collapsed',
    'sallyport; fwd=uri-miss; detail=store-unavailable',
  ])
  assert.match(await status(a()), /^sallyport; hit/)
  assert.equal(service.received.length, 1)
})

for (const [how, fail] of [
  ['is down', (server: RedisServer) => server.kill()],
  ['does not respond', (server: RedisServer) => Promise.resolve(server.pause())],
] as const)
  test(`when Redis ${how}, every request goes to the service after a short wait, and that is logged once`, async (t) => {
    const server = await startRedis(t)
    const { service, a, log } = await setUp(t, { url: server.url, timeout: IMPATIENT }, fresh)
    await a()
    await until('the stored entry', async () => (await status(a())).startsWith('sallyport; hit'))
    await fail(server)
    const received = service.received.length
    // The processor time of other processes is not a wait for Redis.
    const clock = new PacedClock()
    cleanUp(t, () => clock.stop())
    for (let i = 0; i < 5; i++) {
      const sent = clock.now()
      const { status: code, headers, body } = await a(i === 2 ? { method: 'POST' } : {})
      assert.equal(code, 200)
      assert.equal(body.toString(), 'hello')
      assert.match(String(headers['cache-status']), i === 2 ? /fwd=method/ : /fwd=uri-miss; detail=store-unavailable$/)
      assert.ok(clock.now() - sent < PROMPT)
    }
    assert.equal(service.received.length, received + 5)
    assert.equal(log.lines.filter(({ message }) => message === DOWN).length, 1)
  })

test('entries invalidated during an outage of Redis are not used afterwards', async (t) => {
  const server = await startRedis(t)
  const redis = connectTo(t, server)
  const { a } = await setUp(t, { url: server.url, timeout: IMPATIENT }, fresh)
  await a()
  await until('the stored entry', async () => (await status(a())).startsWith('sallyport; hit'))
  server.pause()
  await a({ method: 'POST' })
  server.resume()
  await until('the entry to be removed', async () => (await redis.keys('*:entry:*')).length === 0)
  assert.match(await status(a()), /fwd=uri-miss/)
})

test('content that Redis rejects is not logged, and not said to be stored', async (t) => {
  const redis = await startRedis(t)
  const { a, log } = await setUp(t, { url: redis.url }, (_, response) =>
    response.setHeader('Cache-Control', 'max-age=60').end('hush-hush'),
  )
  await connectTo(t, redis).config('SET', 'maxmemory', '1')
  await a()
  const line = JSON.stringify(await log.line({ level: 'warn' }))
  assert.match(line, /"use":"cache","cause":"OOM"/)
  assert.doesNotMatch(line, /hush|"args"/)
  assert.equal(await status(a()), 'sallyport; fwd=uri-miss; detail=store-unavailable')
})

test('a reply that is of no use when it arrives is not said to be stored', async (t) => {
  const { a } = await setUp(t, { url: (await startRedis(t)).url }, (_, response) =>
    response.writeHead(200, { 'Cache-Control': 'max-age=5, must-revalidate', Age: '5', 'Content-Length': 0 }).end(),
  )
  assert.equal(await status(a()), 'sallyport; fwd=uri-miss')
})
