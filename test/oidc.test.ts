import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { requestAdmin } from './support/admin.ts'
import { BrowserJar } from './support/browser-jar.ts'
import { type Answer, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { CLIENT, type OpenIdProvider, startOpenIdProvider } from './support/openid-provider.ts'
import { startService } from './support/service.ts'
import { SECRET } from './support/tokens.ts'

type Auth = Exclude<NonNullable<GatewayInput['policies']>['auth'], false | undefined>
type Oidc = NonNullable<Auth['methods']['oidc']>

const MINUTE = 60_000

function configOf(
  url: string,
  { url: issuer }: OpenIdProvider,
  oidc: Partial<Oidc>,
  auth: Partial<Auth>,
): GatewayInput {
  const methods = { oidc: { issuer, ...CLIENT, secret: SECRET, ...oidc } }
  return proxyTo(url, { policies: { auth: { ...auth, methods: { ...methods, ...auth.methods } } } })
}

async function setUp(t: TestContext, oidc: Partial<Oidc> = {}, auth: Partial<Auth> = {}) {
  const clock = new ManualClock()
  const provider = await startOpenIdProvider(t, clock)
  const service = await startService(t)
  const start = async (more: Partial<Oidc> = {}) => {
    const { port, log } = await startGateway(t, configOf(service.url, provider, { ...oidc, ...more }, auth), { clock })
    return { browser: new BrowserJar(port), port, log }
  }
  return { clock, provider, service, start, ...(await start()) }
}

const receivedBy = ({ received }: { readonly received: readonly { readonly headers: object }[] }) =>
  received.at(-1)?.headers

function cookieOf({ headers }: Answer, name: string): string {
  return headers['set-cookie']?.find((line) => line.startsWith(`${name}=`)) ?? ''
}

test('a page request is redirected to the provider, and after the login back to its URL', async (t) => {
  const { browser, provider, service } = await setUp(t)
  provider.user = { sub: 'alice', roles: ['admin'], tier: 'gold' }
  const page = await browser.open('/reports?year=2026')
  assert.equal(page.status, 302)
  assert.equal(page.headers['cache-control'], 'no-store')
  assert.ok(page.headers.location?.startsWith(`${provider.url}/authorize?`))
  assert.equal(service.received.length, 0)
  const back = await browser.logIn(page)
  assert.deepEqual([back.status, back.headers.location], [302, '/reports?year=2026'])
  assert.match(cookieOf(back, 'sallyport'), /; Path=\/; HttpOnly; SameSite=Lax; Max-Age=28800$/)
  const reply = await browser.open('/reports?year=2026')
  assert.equal(reply.status, 200)
  assert.partialDeepStrictEqual(receivedBy(service), {
    'x-user-id': 'alice',
    'x-user-roles': 'admin',
    'x-consumer-tier': 'gold',
  })
})

test('services do not see the gateway’s cookies, and see others unchanged', async (t) => {
  const { browser, service } = await setUp(t)
  browser.cookies.set('theme', 'dark')
  await browser.logIn(await browser.open('/'))
  assert.deepEqual([...browser.cookies.keys()], ['theme', 'sallyport-login', 'sallyport'])
  await browser.open('/')
  assert.partialDeepStrictEqual(receivedBy(service), { cookie: 'theme=dark' })
})

test('requests that are not page loads get 401 instead of a redirect', async (t) => {
  const { browser, provider } = await setUp(t)
  const requested = [
    browser.fetch('/api'),
    browser.fetch('/api', { method: 'POST', headers: { 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' } }),
    browser.open('/api', { 'X-Requested-With': 'XMLHttpRequest' }),
  ]
  for (const { status, headers, text } of await Promise.all(requested)) {
    assert.equal(status, 401)
    assert.equal(headers['www-authenticate'], 'Session realm="sallyport"')
    assert.match(text, /Missing session: log in/)
  }
  assert.equal(provider.count('/.well-known/openid-configuration'), 0)
})

test('without Fetch Metadata, Accept decides whether to redirect', async (t) => {
  const { browser } = await setUp(t)
  const none = { 'Sec-Fetch-Mode': undefined, 'Sec-Fetch-Site': undefined }
  assert.equal((await browser.open('/', { ...none, Accept: 'text/html,*/*;q=0.8' })).status, 302)
  assert.equal((await browser.open('/', { ...none, Accept: '*/*' })).status, 401)
})

test('public paths need neither login nor provider, and other auth methods still work', async (t) => {
  const { browser, provider, service } = await setUp(t, {}, { public: ['/open'], methods: { jwt: { secret: SECRET } } })
  provider.isBroken = true
  assert.equal((await browser.open('/open')).status, 200)
  assert.equal((await browser.fetch('/', { headers: { Authorization: 'Bearer bad.bad.bad' } })).status, 401)
  assert.equal(service.received.length, 1)
})

test('roles and rules use the claims of a session', async (t) => {
  const allow = 'claims.org == query.org'
  const { browser, provider } = await setUp(
    t,
    { claims: { roles: 'realm.roles' } },
    { require: { roles: ['staff'], allow } },
  )
  provider.user = { sub: 'alice', org: 'acme', realm: { roles: ['staff'] } }
  await browser.logIn(await browser.open('/'))
  assert.equal((await browser.open('/?org=acme')).status, 200)
  assert.equal((await browser.open('/?org=other')).status, 403)
})

test('several tabs can log in at the same time, and each returns to its URL', async (t) => {
  const { browser } = await setUp(t)
  const first = await browser.open('/a')
  const second = await browser.open('/b')
  assert.equal((await browser.logIn(second)).headers.location, '/b')
  assert.equal((await browser.logIn(first)).headers.location, '/a')
})

test("gateways with the same secret accept each other's logins and sessions", async (t) => {
  const { browser, start } = await setUp(t, { publicUrl: 'http://shop.test' })
  const other = await start()
  const page = await browser.open('/a')
  for (const [name, value] of browser.cookies) other.browser.cookies.set(name, value)
  assert.equal((await other.browser.logIn(page)).headers.location, '/a')
  browser.cookies.set('sallyport', other.browser.cookies.get('sallyport') ?? '')
  assert.equal((await browser.open('/a')).status, 200)
})

test('a callback of a login started in another browser is rejected', async (t) => {
  const { browser, port, provider } = await setUp(t)
  const callback = await browser.callbackOf(await browser.open('/'))
  const victim = new BrowserJar(port)
  const bare = await victim.open(callback)
  assert.equal(bare.status, 401)
  assert.match(bare.text, /The login has failed/)
  await victim.open('/')
  assert.equal((await victim.open(callback)).status, 401)
  assert.equal(victim.cookies.has('sallyport'), false)
  assert.equal(provider.count('/token'), 0)
})

test('a changed, repeated, missing or expired state is rejected without asking the provider', async (t) => {
  const { browser, clock, provider } = await setUp(t)
  const callback = await browser.callbackOf(await browser.open('/'))
  const state = new URLSearchParams(callback.slice(callback.indexOf('?'))).get('state') ?? ''
  for (const path of [
    callback.replace(state, state.slice(0, -2)),
    callback.replace(state, 'forged'),
    `${callback}&state=${state}`,
    '/auth/callback?code=code-1',
    '/auth/callback',
  ])
    assert.equal((await browser.open(path)).status, 401, path)
  clock.advance(11 * MINUTE)
  assert.equal((await browser.open(callback)).status, 401)
  assert.equal(provider.count('/token'), 0)
})

test('a code can be used once', async (t) => {
  const { browser, log } = await setUp(t)
  const callback = await browser.callbackOf(await browser.open('/'))
  assert.equal((await browser.open(callback)).status, 302)
  assert.equal((await browser.open(callback)).status, 401)
  assert.ok(log.requests.every((line) => !JSON.stringify(line).includes('code-')))
})

const wrongTokens: Readonly<Record<string, (claims: object) => object>> = {
  'another nonce': (claims) => ({ ...claims, nonce: 'another-nonce-than-it-was-asked' }),
  'no nonce': (claims) => ({ ...claims, nonce: undefined }),
  'another issuer': (claims) => ({ ...claims, iss: 'http://127.0.0.1:1' }),
  'another audience': (claims) => ({ ...claims, aud: 'another-client' }),
  'an expiry in the past': (claims) => ({ ...claims, exp: Date.UTC(2024, 0, 15, 10, 25) / 1000 }),
  'no subject': (claims) => ({ ...claims, sub: undefined }),
}

for (const [what, claims] of Object.entries(wrongTokens))
  test(`an ID token with ${what} is rejected`, async (t) => {
    const { browser, provider } = await setUp(t)
    provider.mischief = { claims }
    const back = await browser.logIn(await browser.open('/'))
    assert.equal(back.status, 401)
    assert.equal(browser.cookies.has('sallyport'), false)
  })

test('some seconds of clock skew are tolerated', async (t) => {
  const { browser, provider } = await setUp(t)
  const seconds = Date.UTC(2024, 0, 15, 10, 30) / 1000
  provider.mischief = { claims: (claims) => ({ ...claims, iat: seconds + 20, exp: seconds - 20 }) }
  assert.equal((await browser.logIn(await browser.open('/'))).status, 302)
})

test('an ID token not signed by the provider is rejected, and new keys of the provider are fetched at once', async (t) => {
  const { browser, provider } = await setUp(t)
  await browser.logIn(await browser.open('/'))
  provider.rotate()
  browser.cookies.delete('sallyport')
  assert.equal((await browser.logIn(await browser.open('/'))).status, 302)
  provider.mischief = { signsWithAnother: true }
  browser.cookies.delete('sallyport')
  assert.equal((await browser.logIn(await browser.open('/'))).status, 401)
})

test('an error from the provider is 403, and an outage 503', async (t) => {
  const { browser, provider } = await setUp(t)
  provider.mischief = { refusal: 'access_denied' }
  const denied = await browser.logIn(await browser.open('/'))
  assert.equal(denied.status, 403)
  assert.match(denied.text, /refused the login: access_denied/)
  provider.mischief = { tokenError: 'invalid_client' }
  assert.equal((await browser.logIn(await browser.open('/'))).status, 503)
  provider.mischief = {}
  const callback = await browser.callbackOf(await browser.open('/'))
  provider.isBroken = true
  assert.equal((await browser.open(callback)).status, 503)
})

test('an outage of the token endpoint is logged once, and its end', async (t) => {
  const { browser, clock, provider, log } = await setUp(t)
  const lines = () => log.lines.map(({ message }) => String(message)).filter((message) => /issues/.test(message))
  provider.mischief = { tokenError: 'server_error' }
  for (let i = 0; i < 2; i++) assert.equal((await browser.logIn(await browser.open('/'))).status, 503)
  assert.deepEqual(lines(), ['The OpenID provider issues no tokens'])
  provider.mischief = {}
  clock.advance(10_000)
  assert.equal((await browser.logIn(await browser.open('/'))).status, 302)
  assert.deepEqual(lines(), ['The OpenID provider issues no tokens', 'The OpenID provider issues tokens again'])
})

test('a gateway starts without its provider, retries with backoff, and still accepts sessions', async (t) => {
  const { browser, clock, provider, start, log } = await setUp(t)
  await browser.logIn(await browser.open('/'))
  provider.isBroken = true
  const { browser: late, log: lateLog } = await start()
  const requested = provider.count('/.well-known/openid-configuration')
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await late.open('/')
    assert.deepEqual([status, headers['retry-after']], [503, '1'])
  }
  assert.equal(provider.count('/.well-known/openid-configuration'), requested + 1)
  clock.advance(1000)
  assert.equal((await late.open('/')).headers['retry-after'], '2')
  late.cookies.set('sallyport', browser.cookies.get('sallyport') ?? '')
  assert.equal((await late.open('/')).status, 200)
  provider.isBroken = false
  clock.advance(2000)
  late.cookies.clear()
  assert.equal((await late.open('/')).status, 302)
  assert.equal(lateLog.lines.filter(({ message }) => /provider cannot be reached/.test(String(message))).length, 1)
  assert.ok(log.lines.every(({ level }) => level !== 'error'))
})

test('forged cookies are rejected', async (t) => {
  const { browser, service, start } = await setUp(t)
  await browser.logIn(await browser.open('/'))
  const session = browser.cookies.get('sallyport') ?? ''
  const other = await start({ clientId: 'another' })
  const third = await start({ secret: 'another secret of the tests that is long enough' })
  for (const jar of [other.browser, third.browser]) jar.cookies.set('sallyport', session)
  assert.equal((await other.browser.fetch('/')).status, 401)
  assert.equal((await third.browser.fetch('/')).status, 401)
  for (const forged of [
    session.slice(0, -2),
    session.replace(/.{4}$/, 'AAAA'),
    'sealed.1.',
    'x',
    encodeURIComponent('{"claims":{"sub":"root"}}'),
  ]) {
    browser.cookies.set('sallyport', forged)
    assert.equal((await browser.fetch('/')).status, 401, forged)
  }
  // Data sealed for one purpose is invalid for another.
  const state = new URL((await browser.open('/')).headers.location ?? '').searchParams.get('state') ?? ''
  browser.cookies.set('sallyport', state)
  assert.equal((await browser.fetch('/')).status, 401)
  assert.equal(service.received.length, 0)
})

test('during a rotation of the secret old sessions stay valid, and new ones use the new secret', async (t) => {
  const { browser, start } = await setUp(t)
  await browser.logIn(await browser.open('/'))
  const NEW = 'the new secret of the tests that is long enough'
  const both = await start({ secret: [NEW, SECRET] })
  both.browser.cookies.set('sallyport', browser.cookies.get('sallyport') ?? '')
  assert.equal((await both.browser.fetch('/')).status, 200)
  both.browser.cookies.clear()
  await both.browser.logIn(await both.browser.open('/'))
  const later = await start({ secret: NEW })
  later.browser.cookies.set('sallyport', both.browser.cookies.get('sallyport') ?? '')
  assert.equal((await later.browser.fetch('/')).status, 200)
})

test('redirects after a login never lead to another host', async (t) => {
  const { browser } = await setUp(t)
  for (const target of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'evil',
    '/a\r\nX: y',
  ]) {
    browser.cookies.clear()
    const page = await browser.open(`/auth/login?return=${encodeURIComponent(target)}`)
    assert.equal((await browser.logIn(page)).headers.location, '/', target)
  }
  const again = await browser.open('/auth/login?return=//evil.example')
  assert.deepEqual([again.status, again.headers.location], [302, '/'])
  browser.cookies.clear()
  await browser.logIn(await browser.open('/'))
  assert.equal((await browser.open('/auth/login?return=/a%3Fb=c')).headers.location, '/a?b=c')
})

test('a session expires', async (t) => {
  const { browser, clock } = await setUp(t, { lifetime: '1h' })
  await browser.logIn(await browser.open('/'))
  clock.advance(59 * MINUTE)
  assert.equal((await browser.fetch('/')).status, 200)
  clock.advance(MINUTE)
  assert.equal((await browser.fetch('/')).status, 401)
  assert.equal((await browser.open('/')).status, 302)
})

const refreshed: Partial<Oidc> = { scopes: ['openid', 'offline_access'] }

test('a session is refreshed once for concurrent requests, and gets a new cookie', async (t) => {
  const { browser, clock, provider, service } = await setUp(t, refreshed)
  provider.user = { sub: 'alice', roles: ['user'] }
  await browser.logIn(await browser.open('/'))
  const old = browser.cookies.get('sallyport')
  provider.user = { sub: 'alice', roles: ['user', 'admin'] }
  clock.advance(4.5 * MINUTE)
  const replies = await Promise.all([browser.fetch('/a'), browser.fetch('/b'), browser.fetch('/c')])
  assert.deepEqual(
    replies.map(({ status, headers }) => [status, headers['cache-control'], headers['set-cookie']?.length]),
    replies.map(() => [200, 'no-store', 1]),
  )
  assert.equal(provider.count('/token'), 2)
  assert.partialDeepStrictEqual(receivedBy(service), { 'x-user-roles': 'user,admin' })
  assert.notEqual(browser.cookies.get('sallyport'), old)
  // A request with the old cookie that was in flight.
  browser.cookies.set('sallyport', old ?? '')
  assert.equal((await browser.fetch('/')).headers['set-cookie']?.length, 1)
  assert.notEqual(browser.cookies.get('sallyport'), old)
  const next = await browser.fetch('/')
  assert.deepEqual([next.status, next.headers['set-cookie']], [200, undefined])
  assert.equal(provider.count('/token'), 2)
})

test('a reply with a new cookie is not cacheable, whatever the service says', async (t) => {
  const clock = new ManualClock()
  const provider = await startOpenIdProvider(t, clock)
  const service = await startService(t, (_, response) => {
    response.setHeader('CDN-Cache-Control', 'public, max-age=600').setHeader('Surrogate-Control', 'max-age=600')
    response.end()
  })
  const { port } = await startGateway(t, configOf(service.url, provider, refreshed, {}), { clock })
  const browser = new BrowserJar(port)
  await browser.logIn(await browser.open('/'))
  assert.equal((await browser.fetch('/')).headers['cdn-cache-control'], 'public, max-age=600')
  clock.advance(4.5 * MINUTE)
  const { headers } = await browser.fetch('/')
  assert.equal(headers['set-cookie']?.length, 1)
  assert.deepEqual([headers['cdn-cache-control'], headers['surrogate-control']], ['no-store', 'no-store'])
})

test('a session that the provider no longer refreshes ends, and its user has to log in again', async (t) => {
  const { browser, clock, provider } = await setUp(t, refreshed)
  await browser.logIn(await browser.open('/'))
  provider.mischief = { tokenError: 'invalid_grant' }
  clock.advance(4.5 * MINUTE)
  assert.equal((await browser.fetch('/')).status, 200)
  clock.advance(MINUTE)
  const reply = await browser.fetch('/')
  assert.equal(reply.status, 401)
  assert.match(reply.text, /The session has ended/)
  assert.equal((await browser.open('/')).status, 302)
  const requested = provider.count('/token')
  for (let i = 0; i < 3; i++) assert.equal((await browser.fetch('/')).status, 401)
  assert.equal(
    provider.count('/token'),
    requested,
    'a client that keeps the cookie does not cause repeated requests to the provider',
  )
})

test('a session that cannot be refreshed makes the request fail with 401, whatever cookies come with it', async (t) => {
  const { browser, clock, provider, port } = await setUp(t, refreshed)
  await browser.logIn(await browser.open('/'))
  provider.mischief = { tokenError: 'invalid_grant' }
  clock.advance(6 * MINUTE)
  const session = browser.cookies.get('sallyport') ?? ''
  const Cookie = `sallyport-login=a; sallyport-login=b; sallyport=${session}`
  const reply = await send(port, { path: '/', headers: { Cookie } })
  assert.equal(reply.status, 401)
  assert.match(reply.text, /The session has ended/)
})

test('a user whose session cannot be refreshed can log in again at once', async (t) => {
  const { browser, clock, provider } = await setUp(t, refreshed)
  await browser.logIn(await browser.open('/'))
  const there = await browser.open('/auth/login?return=/orders')
  assert.equal(there.headers.location, '/orders')
  clock.advance(4.5 * MINUTE)
  const renewed = await browser.open('/auth/login?return=/orders')
  assert.deepEqual([renewed.headers.location, renewed.headers['set-cookie']?.length], ['/orders', 1])
  provider.mischief = { tokenError: 'invalid_grant' }
  clock.advance(6 * MINUTE)
  const page = await browser.open('/auth/login?return=/orders')
  assert.ok(page.headers.location?.startsWith(`${provider.url}/authorize?`))
  provider.mischief = {}
  assert.equal((await browser.logIn(page)).headers.location, '/orders')
})

test('a page that keeps sending requests with a session that has ended locks nobody out', async (t) => {
  const { browser, clock, provider } = await setUp(t, refreshed, { failures: '3/m' })
  await browser.logIn(await browser.open('/'))
  provider.mischief = { tokenError: 'invalid_grant' }
  clock.advance(6 * MINUTE)
  for (let i = 0; i < 6; i++) assert.equal((await browser.fetch('/')).status, 401)
  provider.mischief = {}
  await browser.logIn(await browser.open('/'))
  assert.equal((await browser.fetch('/')).status, 200)
})

test('sessions stay valid during an outage of the provider, until they expire', async (t) => {
  const { browser, clock, provider } = await setUp(t, { ...refreshed, lifetime: '1h' })
  await browser.logIn(await browser.open('/'))
  provider.isBroken = true
  clock.advance(30 * MINUTE)
  for (let i = 0; i < 3; i++) assert.equal((await browser.fetch('/')).status, 200)
  assert.equal(provider.count('/token'), 2)
  clock.advance(30 * MINUTE)
  assert.equal((await browser.fetch('/')).status, 401)
})

test('a logout ends the session here and at the provider, and requires a POST from the same origin', async (t) => {
  const { browser, provider } = await setUp(t, { ...refreshed, afterLogout: '/bye' })
  await browser.logIn(await browser.open('/'))
  const wrong = await browser.open('/auth/logout')
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'POST'])
  const page = { 'Sec-Fetch-Mode': 'navigate' }
  const foreign = await browser.fetch('/auth/logout', {
    method: 'POST',
    headers: { ...page, 'Sec-Fetch-Site': 'cross-site' },
  })
  assert.equal(foreign.status, 403)
  assert.equal(provider.refreshTokens.size, 1)
  const reply = await browser.fetch('/auth/logout', { method: 'POST', headers: page })
  assert.equal(reply.status, 303)
  const location = new URL(reply.headers.location ?? '')
  assert.equal(location.origin + location.pathname, `${provider.url}/logout`)
  assert.match(location.searchParams.get('post_logout_redirect_uri') ?? '', /^http:\/\/127\.0\.0\.1:\d+\/bye$/)
  assert.deepEqual([...browser.cookies.keys()], [])
  assert.equal((await browser.fetch('/')).status, 401)
})

test('a logout by a script ends the session even during an outage of the provider', async (t) => {
  const { browser, provider } = await setUp(t)
  await browser.logIn(await browser.open('/'))
  provider.isBroken = true
  assert.equal((await browser.fetch('/auth/logout', { method: 'POST' })).status, 204)
  assert.equal((await browser.fetch('/')).status, 401)
})

test('a refresh cannot change the user of a session', async (t) => {
  const { browser, clock, provider, service } = await setUp(t, refreshed)
  await browser.logIn(await browser.open('/'))
  provider.user = { sub: 'mallory' }
  clock.advance(4.5 * MINUTE)
  assert.equal((await browser.fetch('/')).status, 200)
  assert.partialDeepStrictEqual(receivedBy(service), { 'x-user-id': 'alice' })
  clock.advance(MINUTE)
  assert.equal((await browser.fetch('/')).status, 401)
})

test('requests from pages of other sites can only read with a session', async (t) => {
  const { browser } = await setUp(t, { trustedOrigins: ['https://admin.example.com'] })
  await browser.logIn(await browser.open('/'))
  const from = (site: string, method: string, origin = 'https://evil.example') =>
    browser.fetch('/', { method, headers: { 'Sec-Fetch-Site': site, Origin: origin } })
  assert.equal((await from('cross-site', 'POST')).status, 401)
  assert.equal((await from('cross-site', 'GET')).status, 200)
  assert.equal((await from('same-origin', 'POST')).status, 200)
  assert.equal((await from('cross-site', 'POST', 'https://admin.example.com')).status, 200)
})

test('the userinfo endpoint adds claims, and a session keeps the configured ones', async (t) => {
  const { browser, provider, service } = await setUp(
    t,
    { userinfo: true, keepClaims: ['org'] },
    { require: { allow: 'claims.org == "acme" && !has(claims.picture)' } },
  )
  provider.userinfo = { org: 'acme', roles: 'a,b', picture: 'x'.repeat(10_000) }
  await browser.logIn(await browser.open('/'))
  assert.equal((await browser.open('/')).status, 200)
  assert.partialDeepStrictEqual(receivedBy(service), { 'x-user-roles': 'a,b' })
})

test('a session too large for a cookie is a 500, and the log says what to do', async (t) => {
  const { browser, provider, log } = await setUp(t)
  provider.user = { sub: 'alice', picture: 'x'.repeat(10_000) }
  assert.equal((await browser.logIn(await browser.open('/'))).status, 500)
  const line = log.lines.find((each) => JSON.stringify(each).includes('keepClaims'))
  assert.ok(line !== undefined)
})

test('if there is no room for the refresh token the session is kept without it, which is logged once', async (t) => {
  const { browser, clock, provider, log } = await setUp(t, refreshed)
  provider.user = { sub: 'alice', picture: 'x'.repeat(2800) }
  for (let i = 0; i < 2; i++) {
    await browser.logIn(await browser.open('/'))
    browser.cookies.delete('sallyport')
  }
  await browser.logIn(await browser.open('/'))
  clock.advance(10 * MINUTE)
  assert.equal((await browser.fetch('/')).status, 200)
  assert.equal(provider.count('/token'), 3)
  assert.equal(log.lines.filter(({ message }) => /cannot be refreshed/.test(String(message))).length, 1)
})

test('failed callbacks are limited by address', async (t) => {
  const { browser } = await setUp(t, {}, { failures: '3/m' })
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) statuses.push((await browser.open('/auth/callback?code=a&state=b')).status)
  assert.deepEqual(statuses, [401, 401, 401, 429, 429])
})

test('a refused login counts as invalid, and a login by another method or a logout by another site not at all', async (t) => {
  const { browser, provider, port } = await setUp(t)
  provider.mischief = { refusal: 'access_denied' }
  assert.equal((await browser.logIn(await browser.open('/'))).status, 403)
  assert.equal((await browser.fetch('/auth/login', { method: 'POST' })).status, 405)
  const foreign = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }
  assert.equal((await browser.fetch('/auth/logout', { method: 'POST', headers: foreign })).status, 403)
  const counts = (await scrape(port)).all('sallyport_auth_outcomes_total').filter(({ value }) => value > 0)
  assert.deepEqual(
    counts.map(({ labels, value }) => [labels['method'], labels['outcome'], value]),
    [
      ['oidc', 'invalid', 1],
      ['none', 'missing', 1],
    ],
  )
})

test('login paths are answered even if no route matches them', async (t) => {
  const clock = new ManualClock()
  const provider = await startOpenIdProvider(t, clock)
  const service = await startService(t)
  const config = configOf(service.url, provider, { paths: { callback: '/elsewhere' } }, {})
  const routes = [{ id: 'app', match: { path: '/app/*' }, service: 'backend' }]
  const { port } = await startGateway(t, { ...config, routes }, { clock })
  const browser = new BrowserJar(port)
  const back = await browser.logIn(await browser.open('/app/x'))
  assert.deepEqual([back.status, back.headers.location], [302, '/app/x'])
  assert.equal((await browser.open('/app/x')).status, 200)
  assert.equal((await browser.open('/nowhere')).status, 404)
})

test('over https the cookie has the __Host- prefix', async (t) => {
  const clock = new ManualClock()
  const provider = await startOpenIdProvider(t, clock)
  const service = await startService(t)
  const config = { ...configOf(service.url, provider, {}, {}), trustedProxies: ['127.0.0.1'] }
  const { port } = await startGateway(t, config, { clock })
  const browser = new BrowserJar(port)
  const secure = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example.com' }
  const page = await browser.open('/', secure)
  const uri = new URL(page.headers.location ?? '').searchParams.get('redirect_uri')
  assert.equal(uri, 'https://shop.example.com/auth/callback')
  const back = await browser.open(await browser.callbackOf(page), secure)
  assert.match(cookieOf(back, '__Host-sallyport'), /; Secure$/)
  assert.equal((await browser.open('/', secure)).status, 200)
  // A cookie that plain http, and thus an attacker on the network, may have set.
  browser.cookies.set('sallyport', browser.cookies.get('__Host-sallyport') ?? '')
  browser.cookies.delete('__Host-sallyport')
  assert.equal((await browser.fetch('/', { headers: secure })).status, 401)
})

test('a default port in the host is no part of the redirect URI, with which the code is exchanged too', async (t) => {
  const { browser } = await setUp(t)
  const host = { Host: 'shop.example.com:80' }
  const page = await browser.open('/orders', host)
  const uri = new URL(page.headers.location ?? '').searchParams.get('redirect_uri')
  assert.equal(uri, 'http://shop.example.com/auth/callback')
  const back = await browser.open(await browser.callbackOf(page), host)
  assert.deepEqual([back.status, back.headers.location], [302, '/orders'])
})

test('a host that no URL can have gets 400, before and after the login', async (t) => {
  const { browser, log } = await setUp(t)
  const page = await browser.open('/')
  const callback = await browser.callbackOf(page)
  for (const Host of ['shop.example.com:99999', '256.256.256.256'])
    for (const path of ['/', '/auth/login', callback]) assert.equal((await browser.open(path, { Host })).status, 400)
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

test('explaining a request does not use the refresh token', async (t) => {
  const { clock, provider, service } = await setUp(t)
  const config = configOf(service.url, provider, refreshed, {})
  const { port, gateway } = await startGateway(t, { ...config, admin: { address: '127.0.0.1:0' } }, { clock })
  const browser = new BrowserJar(port)
  await browser.logIn(await browser.open('/'))
  clock.advance(4.5 * MINUTE)
  const before = provider.count('/token')
  const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const question = { url: '/', headers: { Host: `127.0.0.1:${port}`, Cookie } }
  const { json } = await requestAdmin(gateway.adminAddress!.port, '/explain', { method: 'POST', json: question })
  assert.equal(json['outcome'], 'sent')
  assert.equal(provider.count('/token'), before)
  await browser.open('/')
  assert.equal(provider.count('/token'), before + 1)
})
