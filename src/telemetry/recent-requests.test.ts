import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { GatewayError } from '../core/errors.ts'
import { type RecentFilter, RecentRequests } from './recent-requests.ts'

const all: RecentFilter = { status: null, route: null, correlationId: null, limit: 100 }

function filled(size: number, paths: readonly string[]): RecentRequests {
  const clock = new ManualClock()
  const requests = new RecentRequests(size, clock)
  for (const path of paths) {
    requests.add(makeExchange({ path, start: clock.now() }), 200, 1, clock.now() + 1)
    clock.advance(10)
  }
  return requests
}

const pathsOf = (requests: RecentRequests, filter = all): string[] => requests.list(filter).map(({ path }) => path)

test('the newest requests come first, and the oldest are evicted', () => {
  assert.deepEqual(pathsOf(filled(3, [])), [])
  assert.deepEqual(pathsOf(filled(3, ['/a', '/b'])), ['/b', '/a'])
  assert.deepEqual(pathsOf(filled(3, ['/a', '/b', '/c', '/d', '/e'])), ['/e', '/d', '/c'])
  assert.deepEqual(pathsOf(filled(1, ['/a', '/b'])), ['/b'])
})

for (const [size, kept] of [
  [1, ['/e']],
  [2, ['/e', '/d']],
  [3, ['/e', '/d', '/c']],
  [5, ['/e', '/d', '/c']],
] as const)
  test(`the newest requests are kept when the size changes from three to ${size}`, () => {
    const requests = filled(3, ['/a', '/b', '/c', '/d', '/e'])
    requests.resize(size)
    assert.deepEqual(pathsOf(requests), kept)
    const before = requests.list(all)[0]!
    assert.deepEqual([before.end - before.duration, before.status, before.bytes], [40, 200, 1])
    for (const path of ['/f', '/g']) requests.add(makeExchange({ path, start: 50 }), 404, 2, 51)
    assert.deepEqual(pathsOf(requests), ['/g', '/f', ...kept].slice(0, size))
    assert.deepEqual(requests.list(all)[0]!.status, 404)
  })

test('a list that is not yet full can shrink', () => {
  const requests = filled(5, ['/a', '/b'])
  requests.resize(2)
  assert.deepEqual(pathsOf(requests), ['/b', '/a'])
  requests.add(makeExchange({ path: '/c' }), 200, 0, 1)
  assert.deepEqual(pathsOf(requests), ['/c', '/b'])
})

test('an exchange is listed with all its details', () => {
  const clock = new ManualClock()
  const start = clock.now()
  const wall = clock.wall()
  const requests = new RecentRequests(2, clock)
  const exchange = makeExchange({ method: 'POST', path: '/a', query: '?page=2', start })
  exchange.route = { id: 'users', pattern: '/a', service: 'user-service' }
  exchange.consumer = { id: '42', roles: [], scopes: [], tier: 'api_key', key: 'ci', claims: {} }
  exchange.instance = '127.0.0.1:1'
  exchange.attempts = 2
  exchange.retried = 'connect'
  exchange.serviceTime = 5
  exchange.correlationId = 'abc'
  exchange.error = new GatewayError('bad-gateway')
  clock.advance(7)
  requests.add(exchange, 502, 12, clock.now())
  clock.advance(5000)
  assert.deepEqual(requests.list(all), [
    {
      time: wall,
      end: start + 7,
      duration: 7,
      protocol: exchange.protocol,
      method: 'POST',
      host: exchange.host,
      path: '/a',
      query: '?page=2',
      status: 502,
      bytes: 12,
      attempts: 2,
      retried: 'connect',
      serviceTime: 5,
      route: 'users',
      service: 'user-service',
      instance: '127.0.0.1:1',
      client: exchange.client.address,
      consumer: '42',
      tier: 'api_key',
      apiKey: 'ci',
      correlationId: 'abc',
      traceId: exchange.trace.traceId,
      error: 'bad-gateway',
      grpcStatus: null,
    },
  ])
})

for (const [what, repliedAt, sendTime] of [
  ['a streamed reply', 4, 7000],
  ['any other reply', null, 0],
] as const)
  test(`the time for sending ${what} is ${sendTime} ms`, () => {
    const requests = new RecentRequests(2, new ManualClock())
    const exchange = makeExchange({ start: 0 })
    exchange.correlationId = 'a'
    exchange.repliedAt = repliedAt
    requests.add(exchange, 200, 0, 7004)
    assert.equal(requests.details('a').found[0]!.sendTime, sendTime)
  })

test('secrets in the query are redacted, and long URLs truncated', () => {
  const clock = new ManualClock()
  const requests = new RecentRequests(2, clock)
  requests.add(makeExchange({ query: '?access_token=s3cr3t&page=2' }), 200, 0, 1)
  requests.add(makeExchange({ path: `/${'a'.repeat(5000)}`, query: `?${'b'.repeat(5000)}` }), 200, 0, 1)
  const [long, secret] = requests.list(all)
  assert.equal(secret!.query, '?access_token=[redacted]&page=2')
  assert.deepEqual([long!.path.length, long!.query.length], [1024, 1024])
})

test('requests are filtered by service, consumer, API key, duration and end time', () => {
  const requests = new RecentRequests(8, new ManualClock())
  for (const [path, service, id, key, end] of [
    ['/a', 'shop', '42', null, 10],
    ['/b', 'shop', '43', 'ci', 200],
    ['/c', 'till', '42', null, 300],
  ] as const) {
    const exchange = makeExchange({ path, start: 0 })
    exchange.route = { id: 'all', pattern: '/*', service }
    exchange.consumer = { id, roles: [], scopes: [], tier: 'authenticated', key, claims: {} }
    requests.add(exchange, 200, 0, end)
  }
  for (const [filter, paths] of [
    [{ service: 'shop' }, ['/b', '/a']],
    [{ consumer: '42' }, ['/c', '/a']],
    [{ consumer: 'ci' }, ['/b']],
    [{ slower: 200 }, ['/c', '/b']],
    [{ after: 200 }, ['/c']],
  ] as const)
    assert.deepEqual(pathsOf(requests, { ...all, ...filter }), paths)
})

test('requests are filtered by status, status class, route and count', () => {
  const requests = new RecentRequests(10, new ManualClock())
  for (const [id, status] of [
    ['a', 200],
    ['b', 404],
    ['a', 503],
    ['b', 204],
    ['a', 404],
  ] as const) {
    const exchange = makeExchange({ path: `/${id}/${status}` })
    exchange.route = { id, pattern: '/', service: null }
    requests.add(exchange, status, 0, 1)
  }
  assert.deepEqual(pathsOf(requests, { ...all, status: '404' }), ['/a/404', '/b/404'])
  assert.deepEqual(pathsOf(requests, { ...all, status: '2xx' }), ['/b/204', '/a/200'])
  assert.deepEqual(pathsOf(requests, { ...all, route: 'b' }), ['/b/204', '/b/404'])
  assert.deepEqual(pathsOf(requests, { ...all, status: '4xx', route: 'a', limit: 5 }), ['/a/404'])
  assert.deepEqual(pathsOf(requests, { ...all, limit: 2 }), ['/a/404', '/b/204'])
})
