import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'
import { SECRET, tokenOf } from './support/tokens.ts'

type Auth = Exclude<NonNullable<NonNullable<GatewayInput['policies']>['auth']>, false>
type Jwt = NonNullable<Auth['methods']['jwt']>

const exp = Math.floor(Date.now() / 1000) + 3600
const token = tokenOf({ claims: { exp } })
const other = tokenOf({ claims: { exp, sub: 'bob' } })

async function setUp(t: TestContext, jwt: Partial<Jwt>, auth: Partial<Auth> = {}) {
  const service = await startService(t)
  const { port, log } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    policies: { auth: { methods: { jwt: { secret: SECRET, ...jwt } }, ...auth } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  const ask = async (headers: Record<string, string>, path = '/') => {
    const { status } = await send(port, { path, headers })
    return status === 200 ? service.received.at(-1)!.headers['x-user-id'] : status
  }
  return { service, log, ask }
}

test('a token in another header is accepted with or without its scheme, and forwarded or not', async (t) => {
  const { service, ask } = await setUp(t, { header: 'X-Token' })
  for (const value of [token, `Bearer ${token}`, `bearer ${token}`])
    assert.equal(await ask({ 'X-Token': value }), 'alice')
  assert.equal(service.received.at(-1)!.headers['x-token'], `bearer ${token}`)
  assert.equal(await ask({ Authorization: `Bearer ${token}` }), 401)
  assert.equal(await ask({ 'X-Token': `${token}x` }), 401)
  const hidden = await setUp(t, { header: 'X-Token' }, { forwardToken: false })
  const own = { Authorization: 'Bearer of-the-application' }
  assert.equal(await hidden.ask({ 'X-Token': token, ...own }), 'alice')
  assert.equal(hidden.service.received.at(-1)!.headers['x-token'], undefined)
  assert.equal(hidden.service.received.at(-1)!.headers.authorization, own.Authorization)
})

test('with header: false Authorization is left to the service', async (t) => {
  const { service, ask } = await setUp(t, { header: false, cookie: 'session' })
  const own = { Authorization: 'Bearer of-the-application' }
  assert.equal(await ask({ Cookie: `session=${token}`, ...own }), 'alice')
  assert.equal(service.received.at(-1)!.headers.authorization, own.Authorization)
  assert.equal(await ask(own), 401)
})

test('a token in the query is neither logged nor forwarded, and comes after the header and the cookie', async (t) => {
  const { service, log, ask } = await setUp(t, { query: 'access', cookie: 'session' })
  assert.equal(await ask({}, `/?a=1&access=${token}&b`), 'alice')
  assert.equal(service.received.at(-1)!.url, '/?a=1&b')
  assert.equal(await ask({ Authorization: `Bearer ${other}` }, `/?access=${token}`), 'bob')
  assert.equal(await ask({ Cookie: `session=${other}` }, `/?access=${token}`), 'bob')
  assert.equal(service.received.at(-1)!.url, '/')
  assert.equal(await ask({}, `/?access=${token}x`), 401)
  assert.equal(await ask({}, `/?access=${token}&access=${token}`), 400)
  assert.equal(await ask({}, '/?access='), 401)
  await log.line({ status_code: 400 })
  assert.ok(log.requests.length > 0)
  assert.ok(log.requests.every(({ url }) => !String(url).includes(token.slice(0, 20))))
})

test('an API key in the query is not logged either if the path is ambiguous', async (t) => {
  const { log, ask } = await setUp(
    t,
    {},
    { public: ['/open'], methods: { 'api-key': { query: 'k', keys: [{ id: 'ci', sha256: 'a'.repeat(64) }] } } },
  )
  assert.equal(await ask({}, '/open;x?k=the-key'), 400)
  assert.match(String((await log.line({ message: 'API Gateway Request' }))['url']), /\/open;x$/)
})

test('credentials in a query are not logged either if another policy replies first', async (t) => {
  const keys = { query: 'k', keys: [{ id: 'ci', sha256: 'a'.repeat(64) }] }
  const { port, log } = await startGateway(t, {
    policies: {
      'ip-access': { deny: ['127.0.0.0/8'] },
      auth: { methods: { 'api-key': keys, jwt: { secret: SECRET, query: 'my t' } } },
    },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 200 } }],
  })
  const path = '/?a=1&k=the-key&%6B=the-key;my+t=the-token&my%20t=the-token'
  assert.equal((await send(port, { path })).status, 403)
  assert.match(
    String((await log.line({ status_code: 403 }))['url']),
    /\/\?a=1&k=\[redacted\]&%6B=\[redacted\];my\+t=\[redacted\]&my%20t=\[redacted\]$/,
  )
})
