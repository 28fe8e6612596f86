import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { type LogLine, proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { connect } from './support/peer.ts'
import { startService, type TestService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

/** Instances in rotation without ejection, so that each has its share of the failures. */
const inTurn = { balancer: 'round-robin', passive: false } as const

const ok: RequestListener = (_, response) => void response.end('ok')
const reply =
  (status: number, body = 'no'): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body)

/** A healthy instance and one that is not. */
async function setUp(t: TestContext, sick: RequestListener, service: object = {}) {
  const [good, bad] = [await startService(t, ok), await startService(t, sick)]
  const gateway = await startGateway(t, proxyTo([bad.url, good.url], { service: { ...inTurn, ...service } }))
  return { ...gateway, good, bad }
}

/** The statuses of that many requests, ordered by their counts. */
async function statuses(port: number, count: number, ask: Parameters<typeof send>[1] = {}): Promise<string> {
  const counts = new Map<number, number>()
  for (let i = 0; i < count; i++) {
    const { status } = await send(port, ask)
    counts.set(status, (counts.get(status) ?? 0) + 1)
  }
  return [...counts].map(([status, number]) => `${number} x ${status}`).join(', ')
}

const paths = ({ received }: TestService) => received.map(({ method, url }) => `${method} ${url}`)

for (const [what, sick] of Object.entries({
  'replies 502': reply(502),
  'replies 503 with a long body': reply(503, 'x'.repeat(200_000)),
  'resets once the request has arrived': (request) => void request.socket.resetAndDestroy(),
  'truncates the head of its reply': (request) => void request.socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
  'does not speak HTTP': (request) => void request.socket.end('220 ready\r\n\r\n'),
} as const satisfies Record<string, RequestListener>))
  test(`with an instance that ${what} no GET fails, and no POST is sent twice`, async (t) => {
    const { port, good, bad } = await setUp(t, sick)
    assert.equal(await statuses(port, 20), '20 x 200')
    assert.equal(await statuses(port, 20, { method: 'PUT', body: 'a body' }), '20 x 200')
    // With two of them, the rotation comes back to the same one each time.
    assert.deepEqual([good.received.length, bad.received.length], [40, 40])
    const posted = await statuses(port, 20, { method: 'POST', body: 'a body' })
    assert.match(posted, /10 x 200/)
    assert.equal(good.received.length + bad.received.length, 100)
  })

test('with retry: false failures are returned, except if connecting failed', async (t) => {
  const { port, bad } = await setUp(t, reply(503), { retry: false })
  assert.equal(await statuses(port, 20), '10 x 503, 10 x 200')
  await bad.kill()
  assert.equal(await statuses(port, 20), '20 x 200')
})

test('a POST with a key is retried if the service supports keys', async (t) => {
  const { port, good, bad } = await setUp(t, reply(503), { retry: { idempotencyKey: true } })
  const keyed = { method: 'POST', body: '{}', headers: { 'Idempotency-Key': '"a"' } }
  assert.equal(await statuses(port, 10, keyed), '10 x 200')
  assert.deepEqual([good.received.length, bad.received.length], [10, 10])
  assert.equal(await statuses(port, 10, { method: 'POST', body: '{}' }), '5 x 503, 5 x 200')
})

test('a POST with a key is retried over a connection that has served other requests, too', async (t) => {
  const { port } = await setUp(
    t,
    (request, response) => (request.method === 'GET' ? response.end('ok') : request.socket.destroy()),
    { retry: { idempotencyKey: true } },
  )
  for (let i = 0; i < 4; i++) {
    assert.equal(await statuses(port, 4), '4 x 200')
    const headers = { 'Idempotency-Key': `"${i}"` }
    assert.equal(await statuses(port, 2, { method: 'POST', body: '{}', headers }), '2 x 200')
  }
})

test('an upload larger than the buffer is never retried', async (t) => {
  const { port, good, bad } = await setUp(t, (request, response) => {
    request.resume().on('end', () => void response.writeHead(503).end())
  })
  const large = { method: 'PUT', body: 'x'.repeat(100_000) }
  assert.equal(await statuses(port, 4, large), '2 x 503, 2 x 200')
  assert.equal(good.received.length + bad.received.length, 4)
})

test('if all instances fail, a request is sent twice at most, within the retry budget', async (t) => {
  const [a, b] = [await startService(t, reply(503)), await startService(t, reply(503))]
  const retry = { budget: '20%', minimum: '1/s', attempts: 3 } as const
  const { port } = await startGateway(t, proxyTo([a.url, b.url], { service: { ...inTurn, retry } }))
  assert.equal(await statuses(port, 100), '100 x 503')
  const sent = a.received.length + b.received.length
  // Ten in any case, and a fifth of the requests so far; the window may have moved once meanwhile.
  assert.ok(sent >= 110 && sent <= 140, `${sent} were sent`)
  const metrics = await scrape(port)
  const labels = { service: 'backend' }
  assert.equal(metrics.sum('sallyport_retries_total', { ...labels, reason: 'status' }), sent - 100)
  assert.equal(metrics.sum('sallyport_retry_budget_exhausted_total', labels), 200 - sent)
})

test('a connection is reused after a short discarded reply', async (t) => {
  const { port, bad } = await setUp(t, (_, response) => {
    response.writeHead(503).write('a')
    setImmediate(() => response.end('b'))
  })
  assert.equal(await statuses(port, 20), '20 x 200')
  assert.deepEqual([bad.received.length, bad.connections], [20, 1])
})

test('a client bound to an instance gets its failures', async (t) => {
  let sick = false
  const answer: RequestListener = (_, response) => void response.writeHead(sick ? 503 : 200).end()
  const [a, b] = [await startService(t, answer), await startService(t, answer)]
  const { port } = await startGateway(t, {
    ...proxyTo([a.url, b.url], { service: { ...inTurn, sticky: {} } }),
    secrets: ['0123456789abcdef0123456789abcdef'],
  })
  const { headers } = await send(port)
  sick = true
  const bound = { headers: { Cookie: String(headers['set-cookie']?.[0]).split(';')[0]! } }
  assert.equal(await statuses(port, 4, bound), '4 x 503')
  assert.equal(a.received.length + b.received.length, 5)
})

test('the access log has the number of attempts and the reason', async (t) => {
  const { port, log } = await setUp(t, reply(503))
  await send(port, { path: '/1' })
  await send(port, { path: '/2', method: 'POST' })
  const facts = ({ attempts, retried, status_code }: LogLine) => ({ attempts, retried, status_code })
  await turnUntil('two log lines', () => log.requests.length === 2)
  assert.deepEqual(log.requests.map(facts), [
    { attempts: 2, retried: 'status', status_code: 200 },
    { attempts: undefined, retried: undefined, status_code: 503 },
  ])
})

test('timeouts.total of the service or the route limits all attempts together', async (t) => {
  const silent = await startService(t, () => {})
  const { port, log } = await startGateway(t, {
    services: { backend: { instances: [silent.url], health: false, timeouts: { total: '200ms' } } },
    routes: [
      { id: 'short', match: { path: '/short' }, service: 'backend' },
      { id: 'shorter', match: { path: '/shorter' }, service: 'backend', timeouts: { total: '1ms' } },
    ],
  })
  for (const path of ['/short', '/shorter']) {
    const { status, headers, text } = await send(port, { path })
    assert.deepEqual([status, headers['content-type']], [504, 'application/problem+json'])
    assert.match(text, /The service did not reply in time/)
  }
  assert.deepEqual(
    log.requests.map(({ code }) => code),
    ['gateway-timeout', 'gateway-timeout'],
  )
})

test('a disconnect while waiting for the next attempt ends the request', async (t) => {
  const bad: RequestListener = reply(503)
  const [a, b] = [await startService(t, bad), await startService(t, bad)]
  // Both have failed, so that the next attempt is waiting.
  const { port, gateway } = await startGateway(
    t,
    proxyTo([a.url, b.url], { service: { balancer: 'round-robin', retry: { attempts: 10, minimum: '1000/s' } } }),
    { random: () => 0.99 },
  )
  await statuses(port, 2, { method: 'POST' })
  const peer = await connect(t, port)
  peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await turnUntil('the first attempt to arrive', () => a.received.length + b.received.length === 3)
  peer.reset()
  await turnUntil('the client to be disconnected', () => gateway.connections === 0)
  assert.equal(paths(a).length + paths(b).length, 3)
})
