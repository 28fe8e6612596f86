import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { startKeyServer } from '../../../test/support/key-server.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { makeToolbox } from '../../../test/support/policy.ts'
import { jwkOf, pairs, SECRET, tokenOf } from '../../../test/support/tokens.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange, RouteInfo } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { auth } from './policy.ts'

type Written = Parameters<typeof auth.options.parse>[0]

const users: RouteInfo = { id: 'users', pattern: '/api/v1/users/*', service: 'user-service' }
const nowhere: RouteInfo = { id: '', pattern: '', service: null }

const jwt = { secret: SECRET }
const apiKey = {
  query: 'api_key',
  keys: [{ id: 'ci', sha256: hash('sha256', 'the-key'), owner: 'alice', roles: ['deploy'] }],
}

function setUp(options: Written, route = users, toolbox = makeToolbox()) {
  let passed: Exchange | null = null
  const handle = auth.create(
    auth.options.parse(options),
    toolbox,
    route,
    null,
    () => 'test',
  )((exchange) => {
    passed = exchange
    return new Reply(200, Headers.of(), null)
  })
  return async (fields: Record<string, string>, parts: Partial<Exchange> = {}) => {
    passed = null
    const exchange = makeExchange({ headers: Headers.of(Object.entries(fields)), ...parts })
    let error: GatewayError | null = null
    try {
      await handle(exchange)
    } catch (thrown) {
      assert.ok(thrown instanceof GatewayError)
      error = thrown
    }
    assert.equal(passed === null, error !== null)
    return { exchange, error, sent: Object.fromEntries(exchange.headers) }
  }
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

function challengesOf(error: GatewayError | null): string[] {
  return (error?.headers ?? []).filter(([name]) => name === 'WWW-Authenticate').map(([, value]) => value)
}

test('the service gets the identity of the caller, and the token', async () => {
  const token = tokenOf({ claims: { roles: ['admin', 'user'], tier: 'gold' } })
  const { exchange, sent } = await setUp({ methods: { jwt } })(bearer(token))
  assert.deepEqual(sent, {
    ...bearer(token),
    'X-User-ID': 'alice',
    'X-User-Roles': 'admin,user',
    'X-Consumer-Tier': 'gold',
  })
  assert.equal(exchange.consumer?.id, 'alice')
})

test('a request without a token is 401 with a challenge', async () => {
  const { error, exchange } = await setUp({ methods: { jwt } })({})
  assert.deepEqual([error?.status, error?.message], [401, 'Missing token'])
  assert.deepEqual(challengesOf(error), ['Bearer realm="sallyport"'])
  assert.equal(exchange.consumer, null)
})

test('an invalid token is 401 with the reason', async () => {
  const { error } = await setUp({ methods: { jwt }, realm: 'the platform' })(bearer(tokenOf({ claims: { exp: 1 } })))
  assert.deepEqual([error?.status, error?.message], [401, 'The token has expired'])
  assert.deepEqual(challengesOf(error), [
    'Bearer realm="the platform", error="invalid_token", error_description="The token has expired"',
  ])
})

test('a token that no method accepts is 401 with that reason', async () => {
  const { error } = await setUp({ methods: { jwt } })(bearer('opaque'))
  assert.deepEqual([error?.status, error?.message], [401, 'The kind of token is not accepted here'])
})

test('repeated credentials are 400', async () => {
  const headers = Headers.of([
    ['Authorization', 'Bearer a'],
    ['Authorization', 'Bearer b'],
  ])
  const { error } = await setUp({ methods: { jwt } })({}, { headers })
  assert.equal(error?.status, 400)
  assert.match(challengesOf(error)[0] ?? '', /error="invalid_request"/)
})

test('each accepted kind of credentials has a challenge', async () => {
  const both = await setUp({ methods: { jwt, 'api-key': apiKey } })({})
  assert.deepEqual(challengesOf(both.error), ['Bearer realm="sallyport"', 'ApiKey realm="sallyport"'])
  const keys = await setUp({ methods: { 'api-key': apiKey } })(bearer(tokenOf()))
  assert.deepEqual(challengesOf(keys.error), ['ApiKey realm="sallyport"'])
  assert.equal(keys.error?.message, 'Missing API key')
  const wrong = await setUp({ methods: { 'api-key': apiKey } })({ 'X-API-Key': 'another' })
  assert.deepEqual([wrong.error?.status, wrong.error?.message], [401, 'The API key is not valid'])
})

test('the first method that recognizes its credentials decides', async () => {
  const ask = setUp({ methods: { 'api-key': apiKey, jwt } })
  const both = await ask({ ...bearer(tokenOf({ claims: { sub: 'bob' } })), 'X-API-Key': 'the-key' })
  assert.equal(both.exchange.consumer?.id, 'bob')
  const bad = await ask({ ...bearer(tokenOf({ claims: { exp: 1 } })), 'X-API-Key': 'the-key' })
  assert.equal(bad.error?.message, 'The token has expired')
  const key = await ask({ 'X-API-Key': 'the-key' })
  assert.equal(key.exchange.consumer?.key, 'ci')
})

test('API keys are never forwarded, whichever method identified the caller', async () => {
  const ask = setUp({ methods: { jwt, 'api-key': apiKey }, public: ['/*'] })
  for (const fields of [{}, bearer(tokenOf()), bearer('bad.bad.bad')]) {
    const { exchange, sent } = await ask({ ...fields, 'X-API-Key': 'the-key' }, { query: '?api_key=the-key&a=1' })
    assert.equal(sent['X-API-Key'], undefined)
    assert.equal(exchange.query, '?a=1')
  }
})

test('a rejected key is removed from the logged query', async () => {
  const ask = setUp({ methods: { 'api-key': apiKey } })
  for (const query of ['?api_key=wrong', '?api_key=the-key&api_key=the-key']) {
    const { exchange, error } = await ask({}, { query })
    assert.ok(error !== null)
    assert.equal(exchange.query, '')
  }
})

test('tokens are not forwarded with forwardToken: false', async () => {
  const ask = setUp({ methods: { jwt: { ...jwt, cookie: 'session' } }, forwardToken: false, public: ['/open'] })
  const { sent } = await ask({ ...bearer(tokenOf()), Cookie: 'session=x; a=1' })
  assert.equal(sent['Authorization'], undefined)
  assert.equal(sent['Cookie'], 'a=1')
  const { sent: basic } = await ask({ Authorization: 'Basic YTpi' }, { path: '/open' })
  assert.equal(basic['Authorization'], 'Basic YTpi')
})

test('a public path needs no token', async () => {
  const ask = setUp({ methods: { jwt }, public: ['/open', '/docs/*', '/users/{id}/picture'] })
  for (const path of ['/open', '/docs', '/docs/a/b', '/users/7/picture']) {
    const { exchange, error, sent } = await ask({}, { path })
    assert.equal(error, null)
    assert.equal(exchange.consumer, null)
    assert.deepEqual(sent, {})
  }
  for (const path of ['/open/', '/opened', '/Open', '/docs2', '/users/7', '/'])
    assert.equal((await ask({}, { path })).error?.status, 401, path)
})

test('on a public path a valid token identifies the caller, and others are ignored', async () => {
  const ask = setUp({ methods: { jwt }, public: ['/open'] })
  const valid = await ask(bearer(tokenOf()), { path: '/open' })
  assert.equal(valid.sent['X-User-ID'], 'alice')
  for (const token of [tokenOf({ claims: { exp: 1 } }), 'opaque', 'a.b.c']) {
    const { exchange, error, sent } = await ask(bearer(token), { path: '/open' })
    assert.equal(error, null)
    assert.equal(exchange.consumer, null)
    assert.deepEqual(sent, bearer(token))
  }
})

test('public paths do not depend on introspection', async () => {
  const introspection = { service: 'gone', path: '/introspect' }
  const ask = setUp({ methods: { introspection }, public: ['/open'] })
  assert.equal((await ask(bearer('opaque'), { path: '/open' })).error, null)
  assert.equal((await ask(bearer('opaque'))).error?.status, 503)
})

test('one of the required roles is sufficient, and without one the reply is 403', async () => {
  const ask = setUp({ methods: { jwt }, require: { roles: ['admin', 'staff'] } })
  assert.equal((await ask(bearer(tokenOf({ claims: { roles: ['user', 'staff'] } })))).error, null)
  for (const roles of [['user'], ['Admin'], ['admin '.repeat(2)], undefined]) {
    const { error, exchange } = await ask(bearer(tokenOf({ claims: { roles } })))
    assert.deepEqual([error?.status, error?.code], [403, 'forbidden'])
    assert.deepEqual(challengesOf(error), [])
    assert.equal(exchange.consumer?.id, 'alice')
  }
})

test('every required scope is necessary, and without one the reply is 403', async () => {
  const ask = setUp({ methods: { jwt, 'api-key': apiKey }, require: { scopes: ['read', 'write'] } })
  assert.equal((await ask(bearer(tokenOf({ claims: { scope: 'write read' } })))).error, null)
  for (const fields of [
    bearer(tokenOf({ claims: { scope: 'read' } })),
    bearer(tokenOf()),
    { 'X-API-Key': 'the-key' },
  ]) {
    const { error } = await ask(fields)
    assert.equal(error?.status, 403)
    assert.match(challengesOf(error)[0] ?? '', /^Bearer .*error="insufficient_scope".*scope="read write"$/)
  }
})

test('a route with requirements is not public, whatever the list of public paths', async () => {
  const ask = setUp({ methods: { jwt }, public: ['/*'], require: { roles: ['admin'] } })
  assert.equal((await ask({})).error?.status, 401)
  assert.equal((await ask(bearer('opaque'))).error?.status, 401)
  assert.equal((await ask(bearer(tokenOf()))).error?.status, 403)
})

const ofOrg = 'claims.org == params.org || "support" in consumer.roles'

test('a rule decides by caller and request, and its details are only logged', async () => {
  const ask = setUp({ methods: { jwt }, require: { allow: ofOrg } })
  const params = { org: 'acme' }
  assert.equal((await ask(bearer(tokenOf({ claims: { org: 'acme' } })), { params })).error, null)
  assert.equal((await ask(bearer(tokenOf({ claims: { roles: ['support'] } })), { params })).error, null)
  for (const org of ['other', 7, undefined, ['acme']]) {
    const { error, exchange } = await ask(bearer(tokenOf({ claims: { org } })), { params })
    assert.deepEqual([error?.status, error?.code], [403, 'forbidden'])
    assert.equal(error?.message, 'The request is not allowed by the rules of this route')
    assert.match(String(error?.cause), /claims\.org == params\.org/)
    assert.equal(exchange.consumer?.id, 'alice')
  }
})

test('all rules have to allow a request, in addition to roles and scopes', async () => {
  const allow = ['method == "GET"', 'address != "192.0.2.9"']
  const ask = setUp({ methods: { jwt }, require: { roles: ['admin'], allow } })
  const admin = bearer(tokenOf({ claims: { roles: ['admin'] } }))
  assert.equal((await ask(admin)).error, null)
  assert.equal((await ask(admin, { method: 'PUT' })).error?.status, 403)
  assert.equal((await ask(bearer(tokenOf()))).error?.message, 'The caller does not have a role that is allowed here')
})

test('a rule that fails rejects the request, and is logged once', async () => {
  const { log, lines } = createMemoryLogger('warn', new ManualClock())
  const ask = setUp({ methods: { jwt }, require: { allow: 'claims.org == "acme"' } }, users, makeToolbox({ log }))
  for (let i = 0; i < 3; i++) assert.equal((await ask(bearer(tokenOf()))).error?.status, 403)
  assert.deepEqual(
    lines.map(({ rule, reason }) => [rule, reason]),
    [['claims.org == "acme"', 'No such key: org at character 8']],
  )
})

test('a rule on the path has to agree for all of its readings', async () => {
  const ask = setUp({ methods: { jwt }, require: { allow: '!path.startsWith("/a/secret")' } })
  const forms = { path: '/a/b', sent: '/a/b', written: null, others: ['/a/secret'] }
  assert.equal((await ask(bearer(tokenOf()), { path: '/a/b' })).error, null)
  assert.equal((await ask(bearer(tokenOf()), { path: '/a/b', forms })).error?.status, 400)
  const alike = { ...forms, others: ['/a/c'] }
  assert.equal((await ask(bearer(tokenOf()), { path: '/a/b', forms: alike })).error, null)
  const heedless = setUp({ methods: { jwt }, require: { allow: 'method == "GET"' } })
  assert.equal((await heedless(bearer(tokenOf()), { path: '/a/b', forms })).error, null)
})

test('a rule on path parameters has to agree for all readings', async () => {
  const route = { id: 'orders', pattern: '/orgs/{org}/orders/*', service: 'shop' }
  const ask = setUp({ methods: { jwt }, require: { allow: 'params.org != "internal"' } })
  const of = (org: string, others: readonly string[]) => {
    const path = `/orgs/${org}/orders/7`
    return ask(bearer(tokenOf()), { route, path, params: { org }, forms: { path, sent: path, written: null, others } })
  }
  assert.equal((await of('internal;x', ['/orgs/internal/orders/7'])).error?.status, 400)
  assert.equal((await of('acme;x', ['/orgs/acme/orders/7', '/elsewhere'])).error, null)
  assert.equal((await of('internal', [])).error?.status, 403)
})

test('a rule on a parameter that the route does not have causes a warning', () => {
  const options = auth.options.parse({ methods: { jwt }, require: { allow: ['method == "GET"', ofOrg] } })
  assert.deepEqual(auth.warnings?.(options, ['/orgs/{org}/*']), [])
  assert.deepEqual(auth.warnings?.(options, []), [])
  const [warning] = auth.warnings?.(options, ['/orgs/{org}/*', '/users/{id}']) ?? []
  assert.deepEqual(warning?.path, ['require', 'allow'])
  assert.match(warning.message, /has no \{org\}: the rule allows nothing there/)
})

test('headers used in rules are protected, so that no variants reach the service', () => {
  const options = auth.options.parse({ methods: { jwt }, require: { allow: 'headers["x-tenant"] == "a"' } })
  assert.ok(auth.fields?.(options).includes('x-tenant'))
})

test('without a route no credentials are required, and keys are kept out of the log', async () => {
  const ask = setUp({ methods: { jwt, 'api-key': apiKey } }, nowhere)
  const { error, exchange } = await ask(bearer('bad.bad.bad'), { query: '?api_key=the-key' })
  assert.equal(error, null)
  assert.equal(exchange.query, '')
  assert.equal(exchange.consumer, null)
})

test('routes with equal methods share keys and caches', async (t) => {
  const server = await startKeyServer(t, [jwkOf(pairs.rsa.publicKey, { kid: 'first' })])
  const toolbox = makeToolbox()
  const methods = { jwt: { jwks: `${server.url}/keys` } }
  const token = tokenOf({ algorithm: 'RS256', key: pairs.rsa.privateKey, header: { kid: 'first' } })
  for (const pattern of ['/a', '/b', '/c']) {
    const ask = setUp({ methods }, { ...users, pattern }, toolbox)
    assert.equal((await ask(bearer(token))).error, null)
  }
  assert.equal(server.requests, 1)
  assert.equal((await setUp({ methods }, users)(bearer(token))).error, null)
  assert.equal(server.requests, 2)
})

test('an error of the gateway itself is not treated as invalid credentials, even on a public path', async () => {
  const broken = makeToolbox({ callService: () => Promise.reject(new GatewayError('internal-error')) })
  const ask = setUp({ methods: { introspection: { service: 'users', path: '/i', claims: {} } } }, users, broken)
  assert.equal((await ask(bearer('opaque'))).error?.status, 503)
})

for (const [what, options, problem] of [
  ['no method', { methods: {} }, /has no method: set jwt, introspection, api-key/],
  ['an unknown method', { methods: { negotiate: {} } }, /Unrecognized key: .*negotiate/],
  ['an invalid public path', { methods: { jwt }, public: ['open'] }, /\\"open\\" must start with/],
  ['a realm with a quote', { methods: { jwt }, realm: 'a"b' }, /expected printable ASCII/],
  ['a rule with an unknown name', { methods: { jwt }, require: { allow: 'claim.a == 1' } }, /unknown name/],
  ['a scope with a space', { methods: { jwt }, require: { scopes: ['a b'] } }, /expected a scope/],
] as const)
  test(`${what} is a configuration problem`, () => {
    assert.match(String(auth.options.safeParse(options).error), problem)
  })
