import assert from 'node:assert/strict'
import test from 'node:test'
import { type Ask, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { connect, startRawService } from './support/peer.ts'
import { until } from './support/redis.ts'
import { startService } from './support/service.ts'
import { NOW, SECRET, tokenOf } from './support/tokens.ts'

/** The value for each value of one label. */
async function outcomes(port: number, name: string, label: string): Promise<Record<string, number>> {
  const samples = (await scrape(port)).all(name).filter(({ value }) => value !== 0)
  return Object.fromEntries(samples.map(({ labels, value }) => [labels[label]!, value]))
}

test('the time of the service does not count as time of the gateway', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url), { clock })
  const reply = send(port)
  const peer = await service.accept()
  await peer.request()
  clock.advance(700)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  await reply
  const metrics = await scrape(port)
  assert.equal(metrics.sum('http_request_duration_seconds_sum', { service: 'backend' }), 0.7)
  assert.equal(metrics.sum('sallyport_instance_duration_seconds_sum', { service: 'backend' }), 0.7)
  assert.equal(metrics.sum('sallyport_gateway_duration_seconds_sum', { service: 'backend' }), 0)
  assert.equal(metrics.sum('sallyport_gateway_duration_seconds_count', { service: 'backend' }), 1)
  assert.equal(metrics.sum('sallyport_response_bytes_total', { service: 'backend' }), 2)
})

test('the time of a streamed body does not count as time of the gateway', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url), { clock })
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab')
  await client.until('ab')
  clock.advance(300)
  peer.write('cd')
  await client.until('cd')
  const metrics = await scrape(port)
  assert.equal(metrics.sum('http_request_duration_seconds_sum', { service: 'backend' }), 0.3)
  assert.equal(metrics.sum('sallyport_gateway_duration_seconds_sum', { service: 'backend' }), 0)
})

test('attempts are counted by instance and outcome, and retries by reason', async (t) => {
  const service = await startService(t, (request, response) => {
    response.statusCode = Number(request.url?.slice(1))
    response.end()
  })
  const dead = await startService(t)
  const { port } = await startGateway(t, proxyTo([dead.url, service.url]))
  // Only now, since the gateway could otherwise get its port.
  await dead.kill()
  for (const path of ['/200', '/404', '/500', '/204']) await send(port, { path })
  const metrics = await scrape(port)
  const by = (instance: string, status_class: string) =>
    metrics.sum('sallyport_instance_requests_total', { service: 'backend', instance, status_class })
  assert.deepEqual(
    ['2xx', '4xx', '5xx', 'error'].map((each) => by(service.address, each)),
    [2, 1, 1, 0],
  )
  const failed = by(dead.address, 'error')
  assert.ok(failed > 0)
  assert.equal(metrics.sum('sallyport_instance_errors_total', { instance: dead.address, reason: 'connect' }), failed)
  assert.equal(metrics.sum('sallyport_retries_total', { service: 'backend', reason: 'connect' }), failed)
  assert.equal(metrics.sum('sallyport_instance_duration_seconds_count', { instance: service.address }), 4)
  assert.equal(metrics.sum('sallyport_pool_connections', { instance: service.address, state: 'idle' }), 1)
  assert.equal(metrics.sum('sallyport_pool_connections', { instance: dead.address }), 0)
})

for (const [reason, answer] of [
  ['invalid', 'no HTTP at all\r\n\r\n'],
  ['closed', ''],
] as const)
  test(`an instance that answers with ${reason} is counted as an error of that kind`, async (t) => {
    const service = await startRawService(t, async (peer) => {
      await peer.request()
      if (answer === '') peer.end()
      else peer.write(answer)
    })
    const { port } = await startGateway(t, proxyTo(service.url))
    assert.equal((await send(port)).status, 502)
    assert.deepEqual(await outcomes(port, 'sallyport_instance_errors_total', 'reason'), { [reason]: 1 })
    assert.deepEqual(await outcomes(port, 'sallyport_errors_total', 'code'), { 'bad-gateway': 1 })
    assert.deepEqual(await outcomes(port, 'sallyport_errors_total', 'fault'), { service: 1 })
  })

test('a reused connection that the service has closed counts as a retry, not as an error of the instance', async (t) => {
  const service = await startRawService(t, async (peer, number) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    if (number > 1) return
    await peer.request()
    peer.end()
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  for (let i = 0; i < 2; i++) assert.equal((await send(port)).status, 200)
  assert.deepEqual(await outcomes(port, 'sallyport_retries_total', 'reason'), { closed: 1 })
  assert.deepEqual(await outcomes(port, 'sallyport_instance_requests_total', 'status_class'), { '2xx': 2 })
})

test('an instance that does not respond in time counts as a timeout', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { service: { timeouts: { response: '2s' } } }), { clock })
  const reply = send(port)
  await (await service.accept()).request()
  clock.advance(5000)
  assert.equal((await reply).status, 504)
  assert.deepEqual(await outcomes(port, 'sallyport_instance_errors_total', 'reason'), { timeout: 1 })
})

test('requests and connections in flight are counted while they last', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const reply = send(port)
  const peer = await service.accept()
  await peer.request()
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_requests_in_flight'), 2)
  assert.equal(metrics.sum('http_active_connections'), 2)
  assert.equal(metrics.sum('sallyport_instance_in_flight', { service: 'backend' }), 1)
  assert.equal(metrics.sum('sallyport_pool_connections', { state: 'busy' }), 1)
  peer.write('HTTP/1.1 204 No Content\r\n\r\n')
  await reply
  assert.equal((await scrape(port)).sum('sallyport_instance_in_flight'), 0)
})

test('incomplete replies and malformed requests are counted', async (t) => {
  const service = await startRawService(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    peer.end()
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  await assert.rejects(send(port))
  const client = await connect(t, port)
  client.write('no request\r\n\r\n')
  await client.until('400')
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_replies_broken_total'), 1)
  assert.equal(metrics.sum('sallyport_refused_requests_total', { code: 'bad-request' }), 1)
})

test('an aborted request counts as status 499, and not as an error of the instance', async (t) => {
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await (await service.accept()).request()
  client.reset()
  await log.line({ status_code: 499 })
  const metrics = await scrape(port)
  assert.equal(metrics.sum('http_requests_total', { service: 'backend', status: '499' }), 1)
  assert.equal(metrics.sum('sallyport_instance_errors_total'), 0)
  assert.equal(metrics.sum('sallyport_replies_broken_total'), 0)
})

test('rate limit decisions and usage are counted by tier', async (t) => {
  const { port } = await startGateway(t, {
    policies: { 'rate-limit': { tiers: { unauthenticated: '5/h' }, cost: 2 } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
  })
  for (let i = 0; i < 5; i++) await send(port)
  const metrics = await scrape(port)
  const decided = (outcome: string) =>
    metrics.sum('sallyport_rate_limit_decisions_total', { tier: 'unauthenticated', outcome })
  assert.deepEqual(['admitted', 'refused', 'uncounted'].map(decided), [2, 3, 0])
  assert.equal(metrics.sum('sallyport_rate_limit_tokens_total', { tier: 'unauthenticated' }), 4)
})

test('authentication results are counted by the method that decided', async (t) => {
  const clock = new ManualClock(NOW * 1000)
  const { port } = await startGateway(
    t,
    {
      policies: { auth: { methods: { jwt: { secret: SECRET }, 'api-key': {} }, failures: '3/h', public: ['/open'] } },
      routes: [
        { id: 'all', match: { path: '/*' }, reply: { status: 204 } },
        {
          id: 'admin',
          match: { path: '/admin' },
          reply: { status: 204 },
          policies: { auth: { require: { roles: ['admin'] } } },
        },
      ],
    },
    { clock },
  )
  const bearer = (token: string): Ask => ({ headers: { Authorization: `Bearer ${token}` } })
  const good = bearer(tokenOf())
  const statuses: number[] = []
  for (const ask of [
    good,
    { ...good, path: '/admin' },
    {},
    { path: '/open' },
    bearer(tokenOf({ claims: { exp: NOW - 3600 } })),
    bearer(tokenOf({ key: 'another secret that is long enough for everything there is' })),
    { headers: { 'X-API-Key': 'guessed' } },
    bearer(tokenOf({ claims: { sub: 'bob' } })),
  ])
    statuses.push((await send(port, ask)).status)
  assert.deepEqual(statuses, [204, 403, 401, 204, 401, 401, 401, 429])
  const metrics = await scrape(port)
  const seen = metrics
    .all('sallyport_auth_outcomes_total')
    .filter(({ value }) => value !== 0)
    .map(({ labels, value }) => `${labels['method']} ${labels['outcome']} ${value}`)
  assert.deepEqual(seen.toSorted(), [
    'api-key invalid 1',
    'jwt accepted 1',
    'jwt expired 1',
    'jwt forbidden 1',
    'jwt invalid 1',
    'jwt limited 1',
    'none missing 1',
    'none public 1',
  ])
})

test('cache results are counted, and its size is shown', async (t) => {
  const clock = new ManualClock()
  const service = await startService(t, (request, response) => {
    response.setHeader('Cache-Control', 'max-age=60, stale-while-revalidate=60')
    response.setHeader('ETag', '"a"')
    if (request.headers['if-none-match'] === '"a"') response.writeHead(304).end()
    else response.end('x')
  })
  const { port } = await startGateway(t, proxyTo(service.url, { policies: { cache: {} } }), { clock })
  await send(port)
  await send(port)
  await send(port, { method: 'POST', path: '/other' })
  clock.advance(90_000)
  await send(port)
  await until('a refresh in the background', () => service.received.length === 3)
  clock.advance(200_000)
  await send(port)
  const seen = await outcomes(port, 'sallyport_cache_requests_total', 'outcome')
  assert.deepEqual(seen, { miss: 1, hit: 1, bypass: 1, stale: 1, revalidated: 1 })
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_cache_entries', { store: 'memory' }), 1)
  assert.ok(metrics.sum('sallyport_cache_bytes', { store: 'memory' }) > 0)
})

test('evictions from the cache are counted', async (t) => {
  const service = await startService(t, (_, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.end('x'.repeat(1000))
  })
  const { port } = await startGateway(t, proxyTo(service.url, { policies: { cache: { memory: '20kb' } } }))
  for (let i = 0; i < 40; i++) await send(port, { path: `/${i}` })
  const metrics = await scrape(port)
  const evicted = metrics.sum('sallyport_cache_evictions_total', { store: 'memory' })
  assert.ok(evicted > 0)
  assert.equal(metrics.sum('sallyport_cache_entries'), 40 - evicted)
})

test('an instance that fails its health checks is shown as unhealthy', async (t) => {
  const [good, bad] = [await startService(t), await startService(t, undefined, { health: () => 503 })]
  const { port } = await startGateway(t, {
    services: { backend: { instances: [good.url, bad.url], health: { path: '/health' } } },
  })
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_instance_healthy', { service: 'backend', instance: good.address }), 1)
  assert.equal(metrics.sum('sallyport_instance_healthy', { service: 'backend', instance: bad.address }), 0)
})
