import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { type Answer, send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'

const APP = 'https://app.example.com'
const PARTNER = 'https://shop.partner.example'

/** Everything that could reject a preflight: authentication, limits, methods, and policies of routes. */
async function setUp(t: TestContext) {
  const service = await startService(t, (_, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Credentials', 'true')
    response.end('served')
  })
  const { port, log } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    policies: {
      'correlation-id': {},
      'security-headers': {},
      cors: { origins: [APP] },
      auth: { methods: { jwt: { secret: 'a secret of at least thirty-two bytes' } }, public: ['/open'] },
      'rate-limit': { tiers: { unauthenticated: '4/h' } },
    },
    routes: [
      { id: 'all', match: { path: '/any/*' }, service: 'backend' },
      { id: 'open', match: { path: '/open', method: 'GET' }, service: 'backend' },
      { id: 'create', match: { path: '/items', method: 'POST' }, service: 'backend' },
      {
        id: 'list',
        match: { path: '/items', method: 'GET' },
        service: 'backend',
        policies: { cors: { origins: ['https://*.partner.example'], maxAge: '1h' } },
      },
      { id: 'inner', match: { path: '/any/inner', method: 'POST' }, service: 'backend', policies: { cors: false } },
      { id: 'itself', match: { path: '/itself' }, service: 'backend', policies: { cors: false, auth: false } },
      {
        id: 'versioned',
        match: { path: '/items', method: 'GET', headers: { 'X-Version': true } },
        service: 'backend',
        policies: { cors: { origins: ['https://versioned.example'] } },
      },
    ],
  })
  const preflight = (path: string, method: string, origin = APP, headers = {}): Promise<Answer> =>
    send(port, {
      method: 'OPTIONS',
      path,
      headers: { Origin: origin, 'Access-Control-Request-Method': method, ...headers },
    })
  return { port, service, log, preflight }
}

function allowed({ headers }: Answer): string | undefined {
  return headers['access-control-allow-origin']
}

test('preflights are answered before authentication and rate limits', async (t) => {
  const { service, log, preflight } = await setUp(t)
  for (let i = 0; i < 5; i++) {
    const reply = await preflight('/any/thing', 'DELETE')
    assert.equal(reply.status, 204)
    assert.equal(allowed(reply), APP)
    assert.equal(reply.headers['access-control-allow-methods'], 'GET, POST, PUT, DELETE, OPTIONS')
    assert.equal(reply.headers['access-control-max-age'], '600')
    assert.equal(reply.headers.vary, 'Origin')
    assert.equal(reply.headers['content-length'], undefined)
    assert.match(reply.headers['x-correlation-id'] as string, /^[\da-f-]{36}$/)
    assert.equal(reply.headers['x-frame-options'], 'DENY')
  }
  assert.equal(service.received.length, 0)
  assert.deepEqual(
    log.requests.map(({ method, route, status_code }) => [method, route, status_code]),
    Array.from({ length: 5 }, () => ['OPTIONS', 'all', 204]),
  )
})

test('a preflight is answered by the policy of the route for the requested method', async (t) => {
  const { service, preflight } = await setUp(t)
  assert.equal(allowed(await preflight('/items', 'POST')), APP)
  const list = await preflight('/items', 'GET', PARTNER)
  assert.equal(allowed(list), PARTNER)
  assert.equal(list.headers['access-control-max-age'], '3600')
  const versioned = await preflight('/items', 'GET', 'https://versioned.example', {
    'Access-Control-Request-Headers': 'authorization,x-version',
  })
  assert.equal(allowed(versioned), 'https://versioned.example')
  const wire = { 'Access-Control-Request-Headers': 'content-length, te, x-version' }
  assert.equal((await preflight('/items', 'GET', 'https://versioned.example', wire)).status, 204)
  for (const [method, origin] of [
    ['POST', PARTNER],
    ['GET', APP],
    ['GET', 'https://versioned.example'],
  ] as const) {
    const refused = await preflight('/items', method, origin)
    assert.equal(refused.status, 403)
    assert.equal(allowed(refused), undefined)
    assert.equal(refused.headers.vary, 'Origin')
  }
  assert.equal(service.received.length, 0)
})

test('a preflight for a route with cors: false is rejected', async (t) => {
  const { service, preflight } = await setUp(t)
  const refused = await preflight('/any/inner', 'POST')
  assert.equal(refused.status, 403)
  assert.equal(allowed(refused), undefined)
  assert.equal(service.received.length, 0)
  assert.equal(allowed(await preflight('/any/inner', 'GET')), APP)
})

test('a service whose route has no policy answers preflights itself', async (t) => {
  const { service, preflight } = await setUp(t)
  const reply = await preflight('/itself', 'PUT')
  assert.equal(reply.text, 'served')
  assert.equal(allowed(reply), '*')
  assert.equal(service.received[0]?.method, 'OPTIONS')
})

test('without a matching route the policy of all routes applies, so that the error can be read', async (t) => {
  const { port, preflight } = await setUp(t)
  for (const [path, method, status] of [
    ['/nowhere', 'GET', 404],
    ['/open', 'DELETE', 405],
  ] as const) {
    assert.equal(allowed(await preflight(path, method)), APP)
    const reply = await send(port, { path, method, headers: { Origin: APP } })
    assert.equal(reply.status, status)
    assert.equal(allowed(reply), APP)
  }
})

test('an OPTIONS request that is not a preflight is handled like any request', async (t) => {
  const { port, service } = await setUp(t)
  assert.equal((await send(port, { method: 'OPTIONS', path: '/items', headers: { Origin: APP } })).status, 405)
  assert.equal((await send(port, { method: 'OPTIONS', path: '/any/thing' })).status, 401)
  await send(port, { method: 'OPTIONS', path: '/itself' })
  assert.deepEqual(
    service.received.map(({ method, url }) => [method, url]),
    [['OPTIONS', '/itself']],
  )
})

test('CORS headers of the service are replaced, on replies and errors', async (t) => {
  const { port } = await setUp(t)
  const served = await send(port, { path: '/open', headers: { Origin: APP } })
  assert.equal(served.text, 'served')
  const names = served.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  assert.equal(names.filter((name) => name === 'access-control-allow-origin').length, 1)
  assert.equal(allowed(served), APP)
  assert.equal(served.headers['access-control-allow-credentials'], undefined)
  const limited = Array.from({ length: 4 }, () => ['/open', null] as const)
  for (const [path, status] of [['/any/thing', 401], ['/%zz', 400], ...limited, ['/open', 429]] as const) {
    const reply = await send(port, { path, headers: { Origin: APP } })
    if (status !== null) assert.equal(reply.status, status, path)
    assert.equal(allowed(reply), APP)
    assert.equal(reply.headers.vary, 'Origin')
  }
  const stranger = await send(port, { path: '/open', headers: { Origin: 'https://evil.test' } })
  assert.equal(allowed(stranger), undefined)
  assert.equal(stranger.headers.vary, 'Origin')
})

test('without the policy, OPTIONS on a route for another method is 405', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    routes: [{ id: 'create', match: { path: '/items', method: 'POST' }, service: 'backend' }],
  })
  const headers = { Origin: APP, 'Access-Control-Request-Method': 'POST' }
  const reply = await send(port, { method: 'OPTIONS', path: '/items', headers })
  assert.equal(reply.status, 405)
  assert.equal(reply.headers.allow, 'POST')
  assert.equal(service.received.length, 0)
})
