import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { Agent } from 'node:http'
import test, { type TestContext } from 'node:test'
import { type Clock, systemClock } from '../src/core/clock.ts'
import type { GatewayInput } from '../src/gateway.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { startKeyServer } from './support/key-server.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'
import { jwkOf, pairs, SECRET, tokenOf } from './support/tokens.ts'

type Auth = Exclude<NonNullable<NonNullable<GatewayInput['policies']>['auth']>, false>

const inAnHour = Math.floor(Date.now() / 1000) + 3600
const token = tokenOf({ claims: { exp: inAnHour, roles: ['user'] } })
const admin = tokenOf({ claims: { exp: inAnHour, sub: 'root', roles: ['admin', 'user'] } })
const bearer = (text: string) => ({ Authorization: `Bearer ${text}` })

const jwt = { secret: SECRET }

interface SetUpOptions {
  readonly config?: GatewayInput
  readonly clock?: Clock
}

/** A service behind a gateway that authenticates callers; /admin/* is for admins, and /open is public. */
async function setUp(t: TestContext, auth: Auth, { config = {}, clock = systemClock }: SetUpOptions = {}) {
  const service = await startService(t)
  const started = await startGateway(
    t,
    {
      services: { backend: { instances: [service.url], health: false } },
      policies: { 'correlation-id': {}, auth },
      routes: [
        { id: 'all', match: { path: '/api/*' }, service: 'backend' },
        {
          id: 'admin',
          match: { path: '/admin/*' },
          service: 'backend',
          policies: { auth: { require: { roles: ['admin'] } } },
        },
        { id: 'open', match: { path: '/open' }, service: 'backend', policies: { auth: false } },
      ],
      ...config,
    },
    { clock },
  )
  return { service, ...started }
}

function problemOf(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>
}

test('a request with a token reaches the service with the identity of the caller', async (t) => {
  const { service, port, log } = await setUp(t, { methods: { jwt } })
  for (let i = 0; i < 2; i++) assert.equal((await send(port, { path: '/api/a', headers: bearer(token) })).status, 200)
  for (const { headers } of service.received) {
    assert.equal(headers['x-user-id'], 'alice')
    assert.equal(headers['x-user-roles'], 'user')
    assert.equal(headers['x-consumer-tier'], 'authenticated')
    assert.equal(headers.authorization, `Bearer ${token}`)
  }
  assert.equal((await log.line({ status_code: 200 }))['user_id'], 'alice')
})

test('a request without a token gets a 401 problem document, and never reaches the service', async (t) => {
  const { service, port, log } = await setUp(t, { methods: { jwt } })
  const answer = await send(port, { path: '/api/a', method: 'POST', body: 'x'.repeat(100_000) })
  assert.equal(answer.status, 401)
  assert.equal(answer.headers['www-authenticate'], 'Bearer realm="sallyport"')
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  const { type, status, detail, instance } = problemOf(answer.text)
  assert.deepEqual([type, status, detail], ['urn:sallyport:error:unauthorized', 401, 'Missing token'])
  assert.equal(instance, answer.headers['x-correlation-id'])
  assert.equal(service.received.length, 0)
  assert.equal((await log.line({ status_code: 401 }))['user_id'], null)
})

test('a caller without a required role gets 403, and one with it gets in', async (t) => {
  const { service, port } = await setUp(t, { methods: { jwt } })
  const refused = await send(port, { path: '/admin/a', headers: bearer(token) })
  assert.equal(refused.status, 403)
  assert.equal(problemOf(refused.text)['detail'], 'The caller does not have a role that is allowed here')
  assert.equal(service.received.length, 0)
  assert.equal((await send(port, { path: '/admin/a', headers: bearer(admin) })).status, 200)
  assert.equal((await send(port, { path: '/admin/a' })).status, 401)
})

const spellings = [
  'X-User-ID',
  'x-user-id',
  'X-USER-ID',
  'X_User_ID',
  'x_user-id',
  'X-User_Id',
  'X-User-Roles',
  'X_USER_ROLES',
  'x-user_roles',
  'X-Consumer-Tier',
  'x_consumer_tier',
  'X-CONSUMER_TIER',
]
for (const credentials of ['', `Authorization: Bearer ${token}\r\n`])
  test(`forged identity headers are dropped in any spelling, ${credentials === '' ? 'without' : 'with'} a token`, async (t) => {
    const { service, port } = await setUp(t, { methods: { jwt }, public: ['/api/*'] })
    const client = await connect(t, port)
    const forged = spellings.map((name) => `${name}: root\r\n`).join('')
    client.write(`GET /api/a HTTP/1.1\r\nHost: a\r\n${forged}${credentials}Connection: close\r\n\r\n`)
    assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 200 /)
    const [received] = service.received
    assert.ok(received !== undefined)
    assert.ok(!received.rawHeaders.includes('root'))
    const reported = received.rawHeaders.filter((name) => /^x.(?:user|consumer)/i.test(name))
    assert.deepEqual(reported, credentials === '' ? [] : ['X-User-ID', 'X-User-Roles', 'X-Consumer-Tier'])
  })

test('forged identity trailers do not reach the service', async (t) => {
  const { service, port } = await setUp(t, { methods: { jwt } })
  const client = await connect(t, port)
  client.write(
    `POST /api/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n` +
      'Connection: close\r\n\r\n1\r\nx\r\n0\r\nX-User-ID: root\r\nX_User_Roles: admin\r\n\r\n',
  )
  assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 200 /)
  assert.equal(service.received[0]?.headers['x-user-id'], 'alice')
})

test('requests on one connection are authenticated independently', async (t) => {
  const { service, port } = await setUp(t, { methods: { jwt } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  cleanUp(t, () => agent.destroy())
  assert.equal((await send(port, { path: '/api/a', headers: bearer(token), agent })).status, 200)
  assert.equal((await send(port, { path: '/api/a', agent })).status, 401)
  assert.equal((await send(port, { path: '/api/a', headers: bearer(admin), agent })).status, 200)
  assert.deepEqual(
    service.received.map(({ headers }) => headers['x-user-id']),
    ['alice', 'root'],
  )
})

test('public paths, routes without the policy and the gateway’s own endpoints need no credentials', async (t) => {
  const { port } = await setUp(t, { methods: { jwt }, public: ['/api/login'] })
  for (const path of ['/api/login', '/open', '/health', '/health/live'])
    assert.equal((await send(port, { path })).status, 200, path)
})

for (const path of ['/api/login/', '/api//login/x', '/api/LOGIN', '/api/%6cogin/.%2e/secret'])
  test(`${path} does not count as the public path /api/login`, async (t) => {
    const { port } = await setUp(t, { methods: { jwt }, public: ['/api/login'] })
    assert.equal((await send(port, { path })).status, 401)
  })

test('dot segments are resolved before the check for public paths', async (t) => {
  const { service, port } = await setUp(t, { methods: { jwt }, public: ['/api/login'] })
  for (const path of ['/api/./login', '/api/x/../login', '/api/%2e/login'])
    assert.equal((await send(port, { path })).status, 200, path)
  assert.deepEqual(new Set(service.received.map(({ url }) => url)), new Set(['/api/login']))
})

test('a path that is public in only one reading is 400, even with credentials', async (t) => {
  const { service, port } = await setUp(t, { methods: { jwt }, public: ['/api/login'] })
  for (const path of ['/api/%6cogin', '/api//login', '/api/login%2f', '/api/login;a=b']) {
    assert.equal((await send(port, { path })).status, 400, path)
    assert.equal((await send(port, { path, headers: bearer(admin) })).status, 400, path)
  }
  assert.equal(service.received.length, 0)
})

test('without a matching route the reply is 404 or 405, whatever the credentials', async (t) => {
  const { port } = await setUp(t, { methods: { jwt } })
  for (const headers of [{}, bearer(token), bearer('bad.bad.bad')]) {
    assert.equal((await send(port, { path: '/nowhere', headers })).status, 404)
    assert.equal((await send(port, { path: '/health', method: 'POST', headers })).status, 405)
  }
})

test('an API key in the query is neither forwarded nor logged, whether valid or not', async (t) => {
  const keys = [{ id: 'ci', sha256: hash('sha256', 'sesame-right'), owner: 'alice' }]
  const { service, port, log } = await setUp(t, { methods: { 'api-key': { query: 'k', keys } } })
  assert.equal((await send(port, { path: '/api/a?k=sesame-right&b=1' })).status, 200)
  assert.equal((await send(port, { path: '/api/a?k=sesame-wrong' })).status, 401)
  assert.equal((await send(port, { path: '/nowhere?k=sesame-wrong' })).status, 404)
  await log.line({ status_code: 404 })
  assert.deepEqual(
    service.received.map(({ url }) => url),
    ['/api/a?b=1'],
  )
  assert.equal(service.received[0]?.headers['x-consumer-tier'], 'api_key')
  assert.doesNotMatch(JSON.stringify(log.lines), /sesame/)
})

test('an API key in a header field is not forwarded to the service', async (t) => {
  const keys = [{ id: 'ci', sha256: hash('sha256', 'sesame'), roles: ['admin'] }]
  const { service, port } = await setUp(t, { methods: { 'api-key': { keys } } })
  assert.equal((await send(port, { path: '/admin/a', headers: { 'X-API-Key': 'sesame' } })).status, 200)
  const [received] = service.received
  assert.equal(received?.headers['x-api-key'], undefined)
  assert.deepEqual([received?.headers['x-user-id'], received?.headers['x-user-roles']], ['ci', 'admin'])
})

test('the keys of a provider are fetched when the gateway starts, before there are tokens', async (t) => {
  const requested = Promise.withResolvers<void>()
  const server = await startService(t, (_, response) => {
    requested.resolve()
    response.end()
  })
  await setUp(t, { methods: { jwt: { jwks: server.url } } })
  await requested.promise
})

test('a gateway that is closed does not wait for the keys of a provider that is silent', async (t) => {
  const [requested, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const server = await startService(t, (_, response) => {
    response.on('close', () => ended.resolve())
    requested.resolve()
  })
  const { gateway, log } = await setUp(t, { methods: { jwt: { jwks: server.url } } }, { clock: new ManualClock() })
  await requested.promise
  const closed = gateway.close()
  await ended.promise
  await closed
  assert.ok(!log.lines.some(({ message }) => /cannot be fetched/.test(String(message))))
})

test('a new key of the provider is fetched with the first token that names it, without failing other requests', async (t) => {
  const server = await startKeyServer(t, [jwkOf(pairs.rsa.publicKey, { kid: 'first' })])
  const clock = new ManualClock()
  const { port } = await setUp(t, { methods: { jwt: { jwks: `${server.url}/keys` } } }, { clock })
  const first = tokenOf({ algorithm: 'RS256', key: pairs.rsa.privateKey, header: { kid: 'first' } })
  const second = tokenOf({ algorithm: 'PS256', key: pairs.otherRsa.privateKey, header: { kid: 'second' } })
  const statusOf = async (text: string) => (await send(port, { path: '/api/a', headers: bearer(text) })).status
  assert.deepEqual([await statusOf(first), await statusOf(second)], [200, 401])
  server.keys = [...server.keys, jwkOf(pairs.otherRsa.publicKey, { kid: 'second' })]
  assert.deepEqual([await statusOf(first), await statusOf(second)], [200, 401])
  clock.advance(10_000)
  assert.deepEqual([await statusOf(second), await statusOf(first)], [200, 200])
  server.broken = { status: 500, text: '' }
  clock.advance(3_000_000)
  assert.deepEqual([await statusOf(second), await statusOf(first)], [200, 200])
})

/** A user service that knows revoked tokens, and can fail. */
async function startUsers(t: TestContext) {
  const state = { revoked: false, silent: false, asked: 0 }
  const service = await startService(t, (request, response) => {
    const asks = request.url === '/introspect'
    if (asks) state.asked++
    if (asks && state.silent) return
    response.end(asks ? JSON.stringify({ active: !state.revoked, roles: ['from the user service'] }) : 'hello')
  })
  const services = { users: { instances: [service.url], health: false as const } }
  const routes = [{ id: 'users', match: { path: '/users/*' }, service: 'users' }]
  return { state, service, config: { services, routes } }
}

const asks = { service: 'users', path: '/introspect' }

test('a token is introspected once for many requests, through the gateway’s own service', async (t) => {
  const { state, service, config } = await startUsers(t)
  const { port } = await setUp(t, { methods: { jwt: { ...jwt, introspection: asks } } }, { config })
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => send(port, { path: '/users/a', headers: bearer(token) })),
  )
  assert.ok(answers.every(({ status }) => status === 200))
  assert.equal(state.asked, 1)
  const requested = service.received.find(({ url }) => url === '/introspect')
  assert.deepEqual([requested?.method, requested?.headers.host], ['POST', 'users'])
  assert.equal(requested?.headers['x-forwarded-for'], undefined)
  const passed = service.received.find(({ url }) => url === '/users/a')
  assert.equal(passed?.headers['x-user-roles'], 'from%20the%20user%20service')
})

test('a revoked token is rejected within the configured time', async (t) => {
  const { state, config } = await startUsers(t)
  const clock = new ManualClock()
  const { port } = await setUp(t, { methods: { jwt: { ...jwt, introspection: asks } } }, { config, clock })
  const headers = bearer(tokenOf())
  assert.equal((await send(port, { path: '/users/a', headers })).status, 200)
  state.revoked = true
  assert.equal((await send(port, { path: '/users/a', headers })).status, 200)
  clock.advance(30_000)
  const answer = await send(port, { path: '/users/a', headers })
  assert.equal(answer.status, 401)
  assert.match(answer.headers['www-authenticate'] ?? '', /error="invalid_token"/)
})

for (const [onUnreachable, status] of [
  ['deny', 503],
  ['accept', 200],
] as const)
  test(`a user service that times out causes ${status} with onUnreachable: ${onUnreachable}`, async (t) => {
    const { state, config } = await startUsers(t)
    const introspection = { ...asks, onUnreachable, timeout: '100ms' } as const
    const { port } = await setUp(t, { methods: { jwt: { ...jwt, introspection } } }, { config })
    state.silent = true
    assert.equal((await send(port, { path: '/users/a', headers: bearer(token) })).status, status)
  })

test('an unreachable user service causes 503', async (t) => {
  const { service, config } = await startUsers(t)
  await service.kill()
  const { port, log } = await setUp(t, { methods: { introspection: asks } }, { config })
  const answer = await send(port, { path: '/users/a', headers: bearer('opaque') })
  assert.equal(answer.status, 503)
  assert.equal(problemOf(answer.text)['detail'], 'The token cannot be checked at present; try again later.')
  assert.equal((await log.line({ message: 'Tokens cannot be introspected' }))['level'], 'warn')
})
