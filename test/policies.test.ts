import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send, type Ask } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

/**
 * A gateway with those policies; "/fixed" is answered by the gateway, "/down" by no service, everything else by a
 * service.
 */
async function setUp(t: TestContext, policies: GatewayInput['policies'], routes: GatewayInput['routes'] = []) {
  const service = await startService(t, (_, response) => {
    response.writeHead(200, { 'X-Powered-By': 'PHP', Server: 'x', 'X-Twice': ['a', 'b'] }).end('ok')
  })
  const stopped = await startService(t)
  const { port, log } = await startGateway(t, {
    services: {
      backend: { instances: [service.url], health: false },
      gone: { instances: [stopped.url], health: false },
    },
    ...(policies === undefined ? {} : { policies }),
    routes: [
      { id: 'all', match: { path: '/*' }, service: 'backend' },
      { id: 'fixed', match: { path: '/fixed' }, reply: { body: 'fixed' } },
      { id: 'down', match: { path: '/down' }, service: 'gone' },
      { id: 'post', match: { path: '/post', method: 'POST', host: 'p' }, service: 'backend' },
      ...routes,
    ],
  })
  // Only now, since the gateway could otherwise get its port.
  await stopped.kill()
  return { service, log, ask: (path: string, more: Ask = {}) => send(port, { path, ...more }) }
}

test('a valid correlation id is kept, sent to the service, returned and logged', async (t) => {
  const { service, log, ask } = await setUp(t, { 'correlation-id': {} })
  const reply = await ask('/', { headers: { 'x-correlation-id': 'client-7.a~b' } })
  assert.equal(reply.headers['x-correlation-id'], 'client-7.a~b')
  assert.equal(service.received[0]!.headers['x-correlation-id'], 'client-7.a~b')
  assert.equal(log.requests[0]!['correlation_id'], 'client-7.a~b')
})

test('a missing or invalid correlation id is replaced', async (t) => {
  const { service, log, ask } = await setUp(t, { 'correlation-id': {} })
  const insane = [undefined, '', 'a b', '<script>', 'x'.repeat(129), '"', '-starts-badly', ['a', 'b']]
  const made = new Set<unknown>()
  for (const [i, id] of insane.entries()) {
    const reply = await ask('/', { headers: id === undefined ? {} : { 'X-Correlation-ID': id } })
    const given = reply.headers['x-correlation-id']
    assert.match(String(given), UUID)
    assert.equal(service.received[i]!.headers['x-correlation-id'], given)
    assert.equal(log.requests[i]!['correlation_id'], given)
    made.add(given)
  }
  assert.equal(made.size, insane.length)
})

test('every reply of the gateway has the correlation id, also in problem documents', async (t) => {
  const { ask } = await setUp(t, { 'correlation-id': {} })
  for (const [path, status] of [
    ['/fixed', 200],
    ['/down', 503],
    ['/%zz', 400],
    ['/health', 200],
    ['/health/live', 200],
  ] as const) {
    const reply = await ask(path, { headers: { 'X-Correlation-ID': 'c-1' } })
    assert.equal(reply.status, status)
    assert.equal(reply.headers['x-correlation-id'], 'c-1', path)
    if (status >= 400) assert.equal((JSON.parse(reply.text) as { instance: string }).instance, 'c-1')
  }
})

test('404 and 405 have the correlation id and the headers of every reply', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    policies: { 'correlation-id': {}, 'response-headers': { set: { 'X-Frame-Options': 'DENY' } } },
    routes: [{ id: 'a', match: { path: '/a', method: 'GET' }, service: 'backend' }],
  })
  for (const [path, method, status] of [
    ['/b', 'GET', 404],
    ['/a', 'POST', 405],
  ] as const) {
    const reply = await send(port, { path, method, headers: { 'X-Correlation-ID': 'c-1' } })
    assert.equal(reply.status, status)
    assert.equal(reply.headers['x-correlation-id'], 'c-1')
    assert.equal(reply.headers['x-frame-options'], 'DENY')
  }
})

test('the correlation id can use another header, or be turned off', async (t) => {
  const { service, ask } = await setUp(t, { 'correlation-id': { header: 'X-Request-ID' } }, [
    { id: 'bare', match: { path: '/bare' }, service: 'backend', policies: { 'correlation-id': false } },
  ])
  const reply = await ask('/', { headers: { 'X-Request-ID': 'r-1', 'X-Correlation-ID': 'other' } })
  assert.equal(reply.headers['x-request-id'], 'r-1')
  assert.equal(reply.headers['x-correlation-id'], undefined)
  const bare = await ask('/bare')
  assert.equal(bare.headers['x-request-id'], undefined)
  assert.equal(service.received[1]!.headers['x-request-id'], undefined)
})

test('request-headers sets, adds and removes headers for the service', async (t) => {
  const { service, ask } = await setUp(t, {
    'request-headers': {
      set: { 'X-Client': '{client.address}', 'X-Route': '{route.id} {method} {path}', 'X-User-ID': '{consumer.id}' },
      add: { 'X-Twice': 'b' },
      remove: ['Cookie', 'x-debug'],
    },
  })
  await ask('/a?b', { headers: { 'X-Client': 'forged', 'X-Twice': 'a', Cookie: 'a=b', 'X-Debug': '1', 'X-Kept': '1' } })
  const { headers, rawHeaders } = service.received[0]!
  assert.equal(headers['x-client'], '127.0.0.1')
  assert.equal(headers['x-route'], 'all GET /a')
  assert.equal(headers['x-twice'], 'a, b')
  assert.equal(headers['x-kept'], '1')
  for (const name of ['cookie', 'x-debug', 'x-user-id']) assert.equal(headers[name], undefined)
  assert.equal(rawHeaders.filter((name) => name.toLowerCase() === 'x-client').length, 1)
})

test('a value from the request cannot inject headers', async (t) => {
  const { service, ask } = await setUp(t, undefined, [
    {
      id: 'item',
      match: { path: '/item/{name}' },
      service: 'backend',
      policies: { 'request-headers': { set: { 'X-Name': '{path.name}', 'X-Query': '{query.q}' } } },
    },
  ])
  await ask('/item/%E4%B8%AD%20x?q=a%0d%0aX-Evil:%201')
  const { headers } = service.received[0]!
  assert.equal(headers['x-name'], '%E4%B8%AD x')
  assert.equal(headers['x-query'], 'a%0D%0AX-Evil: 1')
  assert.equal(headers['x-evil'], undefined)
})

test('response-headers sets, adds and removes headers for the client, also on errors', async (t) => {
  const { ask } = await setUp(t, {
    'response-headers': {
      set: { 'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY', Server: 'sallyport' },
      add: { 'X-Twice': 'c' },
      remove: ['X-Powered-By'],
    },
  })
  for (const path of ['/', '/fixed', '/down', '/%zz']) {
    const { headers } = await ask(path)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers.server, 'sallyport')
    assert.equal(headers['x-powered-by'], undefined)
    assert.equal(headers['x-twice'], path === '/' ? 'a, b, c' : 'c')
  }
})

test('options of a route replace those for all routes, and false turns a policy off', async (t) => {
  const { ask } = await setUp(t, { 'response-headers': { set: { 'X-A': 'all', 'X-B': 'all' }, remove: ['Server'] } }, [
    {
      id: 'own',
      match: { path: '/own' },
      service: 'backend',
      policies: { 'response-headers': { set: { 'X-A': 'own' } } },
    },
    { id: 'off', match: { path: '/off' }, service: 'backend', policies: { 'response-headers': false } },
    { id: 'same', match: { path: '/same' }, service: 'backend', policies: { 'response-headers': {} } },
  ])
  const all = (await ask('/')).headers
  assert.deepEqual([all['x-a'], all['x-b'], all.server], ['all', 'all', undefined])
  const own = (await ask('/own')).headers
  assert.equal(own['x-a'], 'own')
  assert.equal(own.server, undefined)
  const off = (await ask('/off')).headers
  assert.deepEqual([off['x-a'], off['x-b'], off.server], [undefined, undefined, 'x'])
  const same = (await ask('/same')).headers
  assert.deepEqual([same['x-a'], same['x-b'], same.server], ['all', 'all', undefined])
})

test('a policy can be off for all routes and on for one', async (t) => {
  const { ask } = await setUp(t, { 'response-headers': false }, [
    {
      id: 'own',
      match: { path: '/own' },
      service: 'backend',
      policies: { 'response-headers': { set: { 'X-A': 'own' } } },
    },
  ])
  assert.equal((await ask('/')).headers['x-a'], undefined)
  assert.equal((await ask('/own')).headers['x-a'], 'own')
})

test('routes that share outer steps have their own inner steps and ends', async (t) => {
  const reported = { 'response-headers': { set: { 'X-Told': '{route.id}' } } }
  const { ask, log } = await setUp(t, { 'security-headers': {}, 'request-headers': { set: { 'X-A': 'a' } } }, [
    { id: 'one', match: { path: ['/one', '/uno'] }, reply: { body: 'one' } },
    { id: 'two', match: { path: '/two' }, reply: { body: 'two' }, policies: reported },
    { id: 'three', match: { path: '/three' }, reply: { body: 'three' }, policies: reported },
  ])
  for (const [path, body, marked] of [
    ['/one', 'one', undefined],
    ['/fixed', 'fixed', undefined],
    ['/uno', 'one', undefined],
    ['/two', 'two', 'two'],
    ['/three', 'three', 'three'],
    ['/two', 'two', 'two'],
    ['/', 'ok', undefined],
  ] as const) {
    const reply = await ask(path)
    assert.equal(reply.body.toString(), body)
    assert.equal(reply.headers['x-told'], marked)
    assert.equal(reply.headers['x-frame-options'], 'DENY')
  }
  const routes = log.requests.map(({ route }) => route)
  assert.deepEqual(routes, ['one', 'fixed', 'one', 'two', 'three', 'two', 'all'])
})

const SENT = ['Accept-Encoding', 'Origin', 'Accept', 'User-Agent', 'X-Mode']
const edits = { remove: SENT.slice(0, -1), set: { 'X-Mode': 'changed' } }
const changes: Readonly<Record<string, Partial<NonNullable<GatewayInput['routes']>[number]>>> = {
  'request-headers': { policies: { 'request-headers': edits } },
  transform: { policies: { transform: { request: { headers: edits }, response: { body: { omit: ['/x'] } } } } },
  'a split': { split: { services: { backend: 1 }, headers: { backend: { request: edits } } } },
}

for (const [what, change] of Object.entries(changes))
  test(`replies and the log depend on what the client sent, whatever ${what} has changed for the service`, async (t) => {
    const service = await startService(t, (request, response) => {
      const status = request.url === '/broken' ? 500 : 200
      response.writeHead(status, { 'Content-Type': 'text/plain' }).end('text '.repeat(1000))
    })
    const { port, log } = await startGateway(t, {
      services: { backend: { instances: [service.url], health: false } },
      policies: {
        compression: {},
        cors: { origins: ['https://app.example'] },
        'error-pages': { 500: { body: '<h1>{status}</h1>', services: true } },
        'response-headers': { set: { 'X-Sent-Mode': '{header.X-Mode}' } },
      },
      routes: [
        { id: 'a', match: { path: '/*' }, ...(change.split === undefined ? { service: 'backend' } : {}), ...change },
      ],
    })
    const headers = { 'Accept-Encoding': 'gzip', Origin: 'https://app.example', Accept: 'text/html', 'X-Mode': 'plain' }
    const reply = await send(port, { headers: { ...headers, 'User-Agent': 'browser' } })
    const [received] = service.received
    assert.deepEqual(
      SENT.map((name) => received!.headers[name.toLowerCase()]),
      [change.policies?.transform === undefined ? undefined : 'identity', undefined, undefined, undefined, 'changed'],
    )
    assert.equal(reply.headers['content-encoding'], 'gzip')
    assert.equal(reply.headers['access-control-allow-origin'], 'https://app.example')
    assert.equal(reply.headers['x-sent-mode'], 'plain')
    assert.equal((await log.line({ message: 'API Gateway Request' }))['user_agent'], 'browser')
    assert.equal((await send(port, { path: '/broken', headers })).text, '<h1>500</h1>')
  })
