import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { proxyTo } from './support/gateway.ts'
import { connectTo, startRedis } from './support/redis.ts'
import { startService } from './support/service.ts'

interface Shown {
  readonly name: string
  readonly status: string
  readonly instances: {
    readonly address: string
    readonly usable: boolean
    readonly drained: boolean
    readonly inFlight: number
    readonly connections: Record<string, number>
    readonly health: { state: string; reason: string | null; checkedAt: string | null; failures: number }
  }[]
}

const NO_LIMITS = { limits: [] }
/** The headers for a limit of five units an hour. */
const ofFive = (used: number) => ({ limit: 5, windowSeconds: 3600, used, remaining: 5 - used })

/** The quotas of each limit by its name, without the times, which vary. */
function quotasOf(json: Record<string, unknown>): Record<string, unknown> {
  const limits = json['limits'] as { name: string; store: string; quotas: Record<string, number>[] }[]
  return Object.fromEntries(
    limits.map(({ name, store, quotas }) => [
      `${store} ${name}`,
      quotas.map(({ limit, windowSeconds, used, remaining }) => ({ limit, windowSeconds, used, remaining })),
    ]),
  )
}

test('GET /status describes the process, its connections and its requests', async (t) => {
  const held = Promise.withResolvers<() => void>()
  const service = await startService(t, (_, response) => held.resolve(() => void response.end()))
  const { port, ask } = await startAdminGateway(t, proxyTo(service.url))
  const reply = send(port)
  const release = await held.promise
  const { status, json } = await ask('/status')
  assert.equal(status, 200)
  const { pid, node, readiness, listeners, connections, inFlight, workers } = json
  assert.deepEqual(
    { pid, node, readiness, listeners, connections, inFlight },
    {
      pid: process.pid,
      node: process.version,
      readiness: 'ready',
      listeners: [{ name: '127.0.0.1:0', address: `127.0.0.1:${port}` }],
      connections: 1,
      inFlight: 1,
    },
  )
  assert.equal((workers as unknown[]).length, 1)
  release()
  await reply
  assert.equal((await ask('/status')).json['inFlight'], 0)
})

test('GET /metrics equals that of the listeners, even if they do not serve it', async (t) => {
  const routes = [{ id: 'hello', match: { path: '/hello' }, reply: {} }]
  const { port, adminPort, ask } = await startAdminGateway(t, {
    routes,
    endpoints: { health: false, metrics: false, docs: false, openapi: false },
  })
  await send(port, { path: '/hello' })
  assert.equal((await send(port, { path: '/metrics' })).status, 404)
  const { status, text, headers } = await ask('/metrics')
  assert.deepEqual([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8'])
  assert.match(text, /^http_requests_total\{.*endpoint="\/hello".*\} 1$/m)
  const openMetrics = await send(adminPort, { path: '/metrics', headers: { Accept: 'application/openmetrics-text' } })
  assert.match(openMetrics.headers['content-type']!, /^application\/openmetrics-text/)
})

test('GET /routes lists the routes with their policies in execution order', async (t) => {
  const { ask } = await startAdminGateway(t, {
    services: { users: { instances: ['http://127.0.0.1:1'], health: false } },
    policies: { cors: {}, 'correlation-id': {} },
    routes: [
      { id: 'users', match: { path: ['/users/*', '/people'], method: 'GET' }, service: 'users' },
      {
        id: 'old',
        match: {
          path: '/old',
          pathRegex: '/o.*',
          headers: { authorization: 's3cr3t', cookie: { regex: 's3cr3t.*' }, accept: true, x: ['1', '2'] },
          precedence: 2,
        },
        redirect: { to: '/users' },
        policies: { cors: false },
      },
    ],
  })
  const { json } = await ask('/routes')
  assert.deepEqual(json['routes'], [
    {
      id: 'users',
      match: {
        listener: [],
        path: ['/users/*', '/people'],
        pathRegex: null,
        host: [],
        method: ['GET'],
        headers: {},
        query: {},
        precedence: 0,
      },
      service: 'users',
      split: null,
      mirror: [],
      replyStatus: null,
      policies: ['correlation-id', 'cors'],
      lastRequestAt: null,
      cache: null,
    },
    {
      id: 'old',
      match: {
        listener: [],
        path: ['/old'],
        pathRegex: '/o.*',
        host: [],
        method: [],
        headers: { authorization: '[redacted]', cookie: { regex: '[redacted]' }, accept: true, x: ['1', '2'] },
        query: {},
        precedence: 2,
      },
      service: null,
      split: null,
      mirror: [],
      replyStatus: 307,
      policies: ['correlation-id'],
      lastRequestAt: null,
      cache: null,
    },
  ])
})

test('GET /services shows the state of each instance and the reason', async (t) => {
  const clock = new ManualClock()
  const well = await startService(t)
  const ill = await startService(t, undefined, { health: () => 500 })
  const { gateway, ask } = await startAdminGateway(
    t,
    {
      services: { users: { instances: [well.url, ill.url], health: { interval: '1h' } } },
      routes: [{ id: 'all', match: { path: '/*' }, service: 'users' }],
    },
    { clock },
  )
  await gateway.ready
  const { json } = await ask('/services')
  const [users] = json['services'] as Shown[]
  assert.equal(users!.status, 'degraded')
  const [first, second] = users!.instances
  assert.deepEqual(
    [first!.address, first!.usable, first!.health.state, first!.health.reason, first!.health.failures],
    [well.address, true, 'healthy', 'status 200', 0],
  )
  assert.deepEqual(
    [second!.address, second!.usable, second!.health.state, second!.health.reason, second!.health.failures],
    [ill.address, false, 'unhealthy', 'unexpected status 500', 1],
  )
  assert.equal(second!.health.checkedAt, new Date(clock.wall()).toISOString())
  assert.deepEqual((await ask('/services/users')).json, users)
  assert.deepEqual((await ask('/health')).json['services'], { users: 'degraded' })
  const unknown = await ask('/services/orders')
  assert.deepEqual([unknown.status, unknown.json['detail']], [404, 'There is no service "orders".'])
  const misspelled = await ask('/services/user')
  assert.equal(misspelled.json['detail'], 'There is no service "user"; did you mean "users"?')
})

test('GET /services shows the concurrency limits of each service', async (t) => {
  const instances = ['http://127.0.0.1:1']
  const { ask } = await startAdminGateway(t, {
    services: {
      adaptive: { instances, health: false, concurrency: { floor: 50 } },
      fixed: { instances, health: false, concurrency: 7 },
      none: { instances, health: false, concurrency: false },
    },
    routes: ['adaptive', 'fixed', 'none'].map((service) => ({ id: service, match: { path: `/${service}` }, service })),
  })
  const services = (await ask('/services')).json['services'] as { name: string; concurrency: unknown }[]
  assert.deepEqual(
    services.map(({ name, concurrency }) => [name, concurrency]),
    [
      ['adaptive', { adaptive: true, limit: 2000 }],
      ['fixed', { adaptive: false, limit: 7 }],
      ['none', null],
    ],
  )
})

test('GET /services shows the remaining retry budget', async (t) => {
  const failing = await startService(t, (_, response) => void response.writeHead(503).end())
  const well = await startService(t)
  const instances = [failing.url, well.url]
  const { port, ask } = await startAdminGateway(
    t,
    proxyTo(instances, {
      service: { passive: false, balancer: 'round-robin', retry: { minimum: '1/s', budget: '50%' } },
    }),
  )
  const left = async (): Promise<unknown> => (await ask('/services/backend')).json['retries']
  assert.deepEqual(await left(), { left: 10 })
  for (let i = 0; i < 4; i++) assert.equal((await send(port)).status, 200)
  assert.deepEqual(await left(), { left: 10 + 4 / 2 - failing.received.length })
  assert.notEqual(failing.received.length, 0)
  const alone = await startAdminGateway(t, proxyTo(well.url))
  assert.equal((await alone.ask('/services/backend')).json['retries'], null)
})

test('a drained instance gets no new requests, finishes those in flight, and can be taken back', async (t) => {
  const held = Promise.withResolvers<() => void>()
  const first = await startService(t, ({ url }, response) => {
    if (url === '/slow') held.resolve(() => void response.end('slow'))
    else response.end('first')
  })
  const second = await startService(t, (_, response) => void response.end('second'))
  const { port, ask } = await startAdminGateway(t, proxyTo([first.url, second.url]))
  const askAll = async (): Promise<string[]> => {
    const texts: string[] = []
    for (let i = 0; i < 4; i++) texts.push((await send(port)).text)
    return [...new Set(texts)].toSorted()
  }
  const slow = send(port, { path: '/slow' })
  const release = await held.promise

  const path = `/services/backend/instances/${first.address}/drain`
  const drained = await ask(path, { method: 'PUT' })
  assert.equal(drained.status, 200)
  const [shown] = (drained.json as unknown as Shown).instances
  assert.deepEqual([shown!.usable, shown!.drained, shown!.inFlight, shown!.connections['busy']], [false, true, 1, 1])
  assert.deepEqual(await askAll(), ['second'])
  assert.deepEqual((await ask('/health')).json['services'], { backend: 'degraded' })
  assert.match((await send(port, { path: '/health' })).text, /"backend":"degraded"/)

  release()
  assert.equal((await slow).text, 'slow')
  assert.deepEqual((await ask(path, { method: 'PUT' })).status, 200)
  const back = await ask(path, { method: 'DELETE' })
  assert.deepEqual([back.status, back.json['status']], [200, 'healthy'])
  assert.deepEqual(await askAll(), ['first', 'second'])
})

test('a passing health check does not put a drained instance back', async (t) => {
  const clock = new ManualClock()
  const states = [200, 500, 200]
  const service = await startService(t, undefined, { health: () => states.shift() ?? 200 })
  const other = await startService(t)
  const health = { interval: '10s', unhealthyAfter: 1 } as const
  const { ask, log } = await startAdminGateway(t, proxyTo([service.url, other.url], { service: { health } }), { clock })
  await ask(`/services/backend/instances/${service.address}/drain`, { method: 'PUT' })
  for (const message of ['instance is unhealthy', 'instance is healthy'] as const) {
    const skip = log.lines.length
    clock.advance(11_000)
    await log.line({ message, instance: service.address }, skip)
    const { instances } = (await ask('/services/backend')).json as unknown as Shown
    assert.deepEqual([instances[0]!.drained, instances[0]!.usable], [true, false])
  }
})

test('draining the last usable instance requires force', async (t) => {
  const well = await startService(t)
  const ill = await startService(t, undefined, { health: () => 500 })
  const health = { interval: '1h' } as const
  const { port, ask } = await startAdminGateway(t, proxyTo([well.url, ill.url], { service: { health } }))
  const path = `/services/backend/instances/${well.address}/drain`
  const refused = await ask(path, { method: 'PUT' })
  assert.equal(refused.status, 409)
  assert.match(String(refused.json['detail']), /the last usable instance of backend; .*\?force=true/)
  assert.equal((await send(port)).status, 200)
  assert.equal((await ask(`/services/backend/instances/${ill.address}/drain`, { method: 'PUT' })).status, 200)
  assert.equal((await ask(`${path}?force=true`, { method: 'PUT' })).status, 200)
  assert.equal((await send(port)).status, 503)
  assert.equal((await ask(path, { method: 'DELETE' })).status, 200)
  assert.equal((await send(port)).status, 200)
})

test('an address that is not an instance of the service is 404', async (t) => {
  const { ask } = await startAdminGateway(t, proxyTo('http://127.0.0.1:1'))
  const wrong = await ask('/services/backend/instances/127.0.0.1:2/drain', { method: 'PUT' })
  assert.deepEqual(
    [wrong.status, wrong.json['detail']],
    [404, '"127.0.0.1:2" is not an instance of backend; its instances are 127.0.0.1:1.'],
  )
  assert.equal((await ask('/services/other/instances/127.0.0.1:1/drain', { method: 'PUT' })).status, 404)
  const vague = await ask('/services/backend/instances/127.0.0.1:1/drain?force=perhaps', { method: 'PUT' })
  assert.equal(vague.status, 400)
  assert.match(String(vague.json['detail']), /^force: /)
})

test('GET /requests shows the last finished requests, redacted, and filters them', async (t) => {
  const { port, ask } = await startAdminGateway(t, {
    policies: { 'correlation-id': {} },
    routes: [{ id: 'hello', match: { path: '/hello' }, reply: { status: 200, body: 'hello' } }],
  })
  await send(port, { path: '/hello?access_token=s3cr3t&page=2', headers: { Authorization: 'Bearer s3cr3t' } })
  await send(port, { path: '/nowhere', headers: { 'X-Correlation-ID': 'abc' } })
  await send(port, { path: '/health' })
  const { json, text } = await ask('/requests')
  const requests = json['requests'] as Record<string, unknown>[]
  assert.deepEqual(
    requests.map(({ method, path, query, status, route, error }) => ({ method, path, query, status, route, error })),
    [
      { method: 'GET', path: '/nowhere', query: '', status: 404, route: null, error: 'not-found' },
      {
        method: 'GET',
        path: '/hello',
        query: '?access_token=[redacted]&page=2',
        status: 200,
        route: 'hello',
        error: null,
      },
    ],
  )
  assert.equal(requests[0]!['correlationId'], 'abc')
  assert.match(String(requests[0]!['traceId']), /^[0-9a-f]{32}$/)
  assert.equal(requests[1]!['bytes'], 5)
  assert.doesNotMatch(text, /s3cr3t/)
  const pathsOf = async (query: string): Promise<unknown[]> =>
    ((await ask(`/requests?${query}`)).json['requests'] as { path: string }[]).map(({ path }) => path)
  assert.deepEqual(await pathsOf('status=4xx'), ['/nowhere'])
  assert.deepEqual(await pathsOf('status=200'), ['/hello'])
  assert.deepEqual(await pathsOf('route=hello'), ['/hello'])
  assert.deepEqual(await pathsOf('limit=1'), ['/nowhere'])
  assert.deepEqual(await pathsOf('correlationId=abc'), ['/nowhere'])
  assert.deepEqual(await pathsOf('correlationId=abcd'), [])
  const slow = await ask('/requests?slower=soon')
  assert.deepEqual([slow.status, slow.json['detail']], [400, 'slower: expected a number.'])
  const unknown = await ask('/requests?path=/hello')
  assert.equal(unknown.status, 400)
  assert.match(String(unknown.json['detail']), /path/)
  for (const query of [
    'correlation_id=abc',
    'correlationId=',
    'status=6xx',
    'status=40',
    'limit=0',
    'limit=1001',
    'limit=many',
  ])
    assert.equal((await ask(`/requests?${query}`)).status, 400, query)
})

test('with admin.requests 0 no requests are kept', async (t) => {
  const routes = [{ id: 'hello', match: { path: '/hello' }, reply: {} }]
  const { port, ask } = await startAdminGateway(t, { admin: { requests: 0 }, routes })
  await send(port, { path: '/hello' })
  assert.deepEqual((await ask('/requests')).json, { requests: [] })
})

for (const store of ['memory', 'redis'] as const)
  test(`limits in ${store}: an operator sees the usage of a client, and resets it`, async (t) => {
    const redis = store === 'redis' ? { url: (await startRedis(t)).url, timeout: '10s' as const } : null
    const key = 'a-key-of-the-tests'
    const { port, ask } = await startAdminGateway(t, {
      stores: { redis },
      policies: {
        auth: {
          methods: { 'api-key': { keys: [{ id: 'partner', sha256: hash('sha256', key) }] } },
          public: ['/*'],
          failures: '9/m',
        },
        'rate-limit': { tiers: { unauthenticated: '5/h', api_key: '5/h' }, cost: 2 },
      },
      routes: [
        { id: 'all', match: { path: '/*' }, reply: { status: 204 } },
        {
          id: 'dear',
          match: { path: '/dear' },
          reply: { status: 204 },
          policies: { 'rate-limit': { tiers: { unauthenticated: '5/h' } } },
        },
      ],
    })
    assert.deepEqual((await ask('/limits/127.0.0.1')).json, NO_LIMITS)
    assert.deepEqual([(await send(port)).status, (await send(port)).status, (await send(port)).status], [204, 204, 429])
    await send(port, { path: '/dear' })
    await send(port, { headers: { 'X-API-Key': key } })
    await send(port, { headers: { 'X-API-Key': 'wrong' } })

    const address = (await ask('/limits/127.0.0.1')).json
    assert.deepEqual(quotasOf(address), {
      'memory failures': [{ limit: 9, windowSeconds: 60, used: 1, remaining: 8 }],
      [`${store} unauthenticated`]: [ofFive(4)],
      [`${store} unauthenticated@dear`]: [ofFive(2)],
    })
    assert.deepEqual(quotasOf((await ask('/limits/address:127.0.0.1')).json), quotasOf(address))
    assert.deepEqual(quotasOf((await ask('/limits/key:partner')).json), { [`${store} api_key`]: [ofFive(2)] })
    assert.deepEqual((await ask('/limits/user:partner')).json, NO_LIMITS)
    assert.ok(((await ask('/limits/user:partner?all=true')).json['limits'] as unknown[]).length > 3)

    assert.equal((await ask('/limits/127.0.0.1', { method: 'DELETE' })).status, 200)
    assert.deepEqual((await ask('/limits/127.0.0.1')).json, NO_LIMITS)
    assert.equal((await send(port)).status, 204)
    assert.deepEqual(quotasOf((await ask('/limits/key:partner')).json), { [`${store} api_key`]: [ofFive(2)] })
    assert.equal((await ask('/limits/key%3Apartner', { method: 'DELETE' })).status, 200)
    assert.deepEqual((await ask('/limits/key:partner')).json, NO_LIMITS)
  })

test('resetting a limit while Redis is down is 503', async (t) => {
  const redis = await startRedis(t)
  connectTo(t, redis)
  const { ask } = await startAdminGateway(t, {
    stores: { redis: { url: redis.url } },
    policies: { 'rate-limit': {} },
    routes: [{ id: 'all', match: { path: '/*' }, reply: {} }],
  })
  await redis.kill()
  const { status, json } = await ask('/limits/user:42', { method: 'DELETE' })
  assert.deepEqual([status, json['type']], [503, 'urn:sallyport:error:limits-unavailable'])
})

test('an invalid client in /limits is 400', async (t) => {
  const { ask } = await startAdminGateway(t, {})
  for (const client of ['42', 'user:', 'tenant:42', 'address:nowhere', 'key']) {
    const { status, json } = await ask(`/limits/${client}`)
    assert.deepEqual(
      [status, json['detail']],
      [400, `client: expected user:ID, key:ID, address:IP or an IP address, not "${client}".`],
    )
  }
})

test('POST /cache/purge removes a URL, a prefix, or a group', async (t) => {
  const service = await startService(t, ({ url = '' }, response) => {
    const groups = url.startsWith('/goods') ? { 'Cache-Groups': '"goods"' } : {}
    response.writeHead(200, { 'Cache-Control': 'max-age=60', ...groups }).end('fresh')
  })
  const { port, ask } = await startAdminGateway(t, proxyTo(service.url, { policies: { cache: {} } }))
  const host = `127.0.0.1:${port}`
  const fill = async (): Promise<void> => {
    for (const path of ['/a/1', '/a/2', '/b', '/goods/1', '/goods/2']) await send(port, { path })
  }
  const purge = async (json: unknown) => {
    const { status, json: answer } = await ask('/cache/purge', { method: 'POST', json })
    return status === 200 ? { purged: answer['purged'] } : status
  }
  await fill()
  await fill()
  assert.equal(service.received.length, 5)
  assert.deepEqual(await purge({ url: `http://${host}/b` }), { purged: 1 })
  assert.deepEqual(await purge({ url: `http://${host}/b` }), { purged: 0 })
  assert.deepEqual(await purge({ prefix: `http://${host}/a/` }), { purged: 2 })
  await fill()
  assert.equal(service.received.length, 8)
  assert.deepEqual(await purge({ host, group: 'goods' }), { purged: 2 })
  for (const wrong of [
    {},
    { url: 'nowhere' },
    { url: `http://${host}/`, prefix: `http://${host}/` },
    { host },
    { host: `http://${host}`, group: 'goods' },
    'all',
    null,
  ])
    assert.equal(await purge(wrong), 400, JSON.stringify(wrong))
})

test('PUT /log-level takes effect at once', async (t) => {
  const { port, ask, log } = await startAdminGateway(t, {
    routes: [{ id: 'all', match: { path: '/*' }, reply: {} }],
  })
  assert.deepEqual((await ask('/log-level')).json, { level: 'debug' })
  assert.equal((await ask('/log-level', { method: 'PUT', json: { level: 'error' } })).json['level'], 'error')
  await log.line({ level: 'warn', log_level: 'error', message: 'An operator has changed the log level' })
  const before = log.requests.length
  await send(port)
  assert.equal(log.requests.length, before)
  await ask('/log-level', { method: 'PUT', json: { level: 'info' } })
  await send(port)
  await log.line({ message: 'API Gateway Request' }, before)
  const wrong = await ask('/log-level', { method: 'PUT', json: { level: 'loud' } })
  assert.deepEqual(
    [wrong.status, wrong.json['detail']],
    [400, 'level: expected "debug", "info", "warn" or "error", not "loud".'],
  )
})

test('GET /config shows one route as one would write it', async (t) => {
  const { ask } = await startAdminGateway(t, {
    admin: { token: 's3cr3t-s3cr3t-s3cr3t' },
    services: { shop: { instances: ['http://127.0.0.1:1'], health: false } },
    policies: {
      'rate-limit': { tiers: { unauthenticated: '100/m' } },
      'request-headers': { set: { 'X-Api-Key': 's3cr3t' } },
    },
    routes: [
      {
        id: 'a',
        match: { path: '/a' },
        service: 'shop',
        timeouts: { total: '90s' },
        policies: { cache: { maxBody: '2mb', ttl: '0s' } },
      },
      { id: 'b', match: { path: '/b' }, service: 'shop' },
    ],
  })
  const get = async (path: string) => ask(path, { headers: { Authorization: 'Bearer s3cr3t-s3cr3t-s3cr3t' } })
  const { json, text, headers } = await get('/config?route=a')
  assert.deepEqual(Object.keys(json), ['policies', 'routes'])
  const tiers = { unauthenticated: '100/m' }
  assert.partialDeepStrictEqual(json, {
    policies: { 'rate-limit': { tiers } },
    routes: [
      {
        id: 'a',
        timeouts: { total: '90s' },
        policies: { cache: { maxBody: '2mb', ttl: '0s' }, 'rate-limit': { tiers } },
      },
    ],
  })
  assert.equal((json['routes'] as object[]).length, 1)
  assert.doesNotMatch(text, /s3cr3t/)
  assert.equal(headers['etag'], (await get('/config')).headers['etag'])
  assert.deepEqual((await get('/config?route=c')).json['routes'], [])
})

test('GET /config shows the running configuration without secrets', async (t) => {
  const { ask } = await startAdminGateway(t, {
    admin: { token: 's3cr3t-s3cr3t-s3cr3t' },
    drainTimeout: '7s',
    policies: { 'request-headers': { set: { 'X-Api-Key': 's3cr3t' } } },
  })
  const { json, text } = await ask('/config', { headers: { Authorization: 'Bearer s3cr3t-s3cr3t-s3cr3t' } })
  assert.equal(json['drainTimeout'], 7000)
  assert.doesNotMatch(text, /s3cr3t/)
})
