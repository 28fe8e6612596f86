/** Operators who log in with an OpenID provider: who can log in, with which role, and for how long. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { type AdminAnswer, startAdminGateway } from './support/admin.ts'
import { proxyTo } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { CLIENT, startOpenIdProvider } from './support/openid-provider.ts'
import { startService } from './support/service.ts'
import { quickDigestOf } from './support/password.ts'

type Admin = Exclude<NonNullable<GatewayInput['admin']>, false>
type Oidc = NonNullable<Admin['oidc']>

const TOKEN = 'correct-horse-battery'
const PASSWORD = 'a password of theirs'
const users = [{ name: 'ada', password: quickDigestOf(PASSWORD), role: 'admin' as const }]
const map = { 'gateway-admins': 'admin', ops: 'operator', everybody: 'viewer' } as const
const MINUTE = 60_000

/** A browser as far as these logins need one: it keeps cookies. */
class Jar {
  readonly cookies = new Map<string, string>()

  get headers(): Record<string, string> {
    return { Cookie: Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ') }
  }

  take({ headers }: AdminAnswer): void {
    for (const line of headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0\b/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
}

async function setUp(t: TestContext, oidc: Partial<Oidc> = {}, admin: Partial<Admin> = {}) {
  const clock = new ManualClock()
  const provider = await startOpenIdProvider(t, clock)
  provider.user = { sub: '7', preferred_username: 'otto', roles: ['ops', 'cooks'] }
  const options: Oidc = { issuer: provider.url, ...CLIENT, roles: { map }, ...oidc }
  const configOf = (changed: Partial<Oidc> | null): GatewayInput => ({
    ...proxyTo('http://127.0.0.1:1'),
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0', ...admin, ...(changed !== null && { oidc: { ...options, ...changed } }) },
  })
  const started = await startAdminGateway(t, configOf({}), { clock })
  const { ask, gateway } = started
  const begin = async (jar: Jar, target?: string, headers: object = {}): Promise<AdminAnswer> => {
    const json = target === undefined ? {} : { return: target }
    const answer = await ask('/login/oidc', { method: 'POST', json, headers: { ...jar.headers, ...headers } })
    jar.take(answer)
    return answer
  }
  /** The URL to which the provider redirects the browser. */
  const callbackOf = async ({ json }: AdminAnswer): Promise<string> => {
    const reply = await fetch(String(json['url']), { redirect: 'manual' })
    const { pathname, search } = new URL(reply.headers.get('Location') ?? '')
    return pathname + search
  }
  const open = async (jar: Jar, path: string): Promise<AdminAnswer> => {
    const answer = await ask(path, { headers: jar.headers })
    jar.take(answer)
    return answer
  }
  const logIn = async (jar = new Jar(), target?: string) => {
    const answer = await open(jar, await callbackOf(await begin(jar, target)))
    return { jar, answer }
  }
  const roleOf = async ({ headers }: Jar) => (await ask('/session', { headers })).json['role']
  const reload = (changed: Partial<Oidc> | null) => gateway.reload(configOf(changed))
  return { ...started, clock, provider, begin, callbackOf, open, logIn, roleOf, reload }
}

test('an operator logs in at the provider, returns to the page, and has a name and a role', async (t) => {
  const { ask, provider, begin, callbackOf, open, log } = await setUp(t)
  const jar = new Jar()
  assert.equal((await ask('/status')).status, 401)
  const begun = await begin(jar, '/console/routes/a?b=c')
  const requested = new URL(String(begun.json['url']))
  assert.equal(requested.origin, provider.url)
  assert.equal(requested.searchParams.get('scope'), 'openid profile')
  assert.match(
    String(begun.headers['set-cookie']),
    /^sallyport_admin-login=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/,
  )
  const answer = await open(jar, await callbackOf(begun))
  assert.deepEqual([answer.status, answer.headers.location], [303, '/console/routes/a?b=c'])
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.match(String(answer.headers['set-cookie']), /^sallyport_admin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
  const { headers } = jar
  const host = new URL(provider.url).host
  const known = { name: 'otto', role: 'operator', by: 'oidc', users: false, provider: host, token: false }
  assert.deepEqual((await ask('/session', { headers })).json, known)
  assert.equal((await ask('/status', { headers })).status, 200)
  assert.equal((await ask('/config/reload', { method: 'POST', headers })).status, 403)
  const drain = '/services/backend/instances/127.0.0.1:1/drain?force=true'
  assert.equal((await ask(drain, { method: 'PUT', headers })).status, 200)
  const change = await log.line({ message: 'An operator has asked for a change', status: 200 })
  assert.partialDeepStrictEqual(change, { operator: 'otto', by: 'oidc', subject: '7', role: 'operator', path: drain })
  const login = await log.line({ message: 'An operator has logged in' })
  assert.partialDeepStrictEqual(login, { operator: 'otto', subject: '7', role: 'operator' })
})

test('a logout ends the session, and returns the logout URL of the provider', async (t) => {
  const { ask, provider, logIn, adminPort } = await setUp(t)
  const { jar } = await logIn()
  const { headers } = jar
  const out = await ask('/logout', { method: 'POST', headers })
  const leave = new URL(String(out.json['leave']))
  assert.equal(leave.origin + leave.pathname, `${provider.url}/logout`)
  assert.equal(leave.searchParams.get('post_logout_redirect_uri'), `http://127.0.0.1:${adminPort}/console/`)
  assert.equal((await ask('/status', { headers })).status, 401)
  assert.equal((await ask('/logout', { method: 'POST' })).json['leave'], null)
})

test('users without a role are told their name and claims, and get no session', async (t) => {
  const { ask, provider, logIn, log } = await setUp(t)
  provider.user = { sub: '9', preferred_username: '<b>mallory', roles: ['cooks', '<i>'] }
  const { jar, answer } = await logIn()
  assert.equal(answer.status, 403)
  assert.match(String(answer.headers['content-type']), /^text\/html/)
  assert.match(String(answer.headers['content-security-policy']), /default-src 'none'; style-src 'sha256-/)
  assert.match(answer.text, /<h1>You are &#60;b&#62;mallory and have no role here<\/h1>/)
  assert.match(answer.text, /cooks, &#60;i&#62;/)
  assert.match(answer.text, new RegExp(`href="${provider.url}/logout[^"]*"`))
  assert.doesNotMatch(answer.text, /gateway-admins/)
  assert.equal((await ask('/status', { headers: jar.headers })).status, 401)
  assert.deepEqual([...jar.cookies.keys()], ['sallyport_admin-login'])
  const line = await log.line({ level: 'warn', subject: '9' })
  assert.match(String(line['message']), /^A login was refused/)
})

test('the name is taken from the configured claim, or else from sub', async (t) => {
  const { ask, provider, logIn } = await setUp(t, { name: 'contact.email', roles: { claim: 'realm.roles', map } })
  const nameOf = async (user: object): Promise<unknown> => {
    provider.user = { sub: '7', realm: { roles: 'everybody' }, ...user }
    const { jar } = await logIn()
    return (await ask('/session', { headers: jar.headers })).json['name']
  }
  assert.equal(await nameOf({ contact: { email: 'otto@example.com' } }), 'otto@example.com')
  for (const contact of [undefined, {}, { email: 7 }, { email: ' ' }, { email: 'a\nb' }, { email: 'x'.repeat(300) }])
    assert.equal(await nameOf({ contact }), '7')
})

test('a callback works once, in the browser that started the login, with its state and in time', async (t) => {
  const { clock, begin, callbackOf, open, roleOf } = await setUp(t)
  const jar = new Jar()
  const callback = await callbackOf(await begin(jar))
  const other = new Jar()
  await begin(other)
  const refused = async (by: Jar, path: string): Promise<void> => {
    const answer = await open(by, path)
    assert.equal(answer.status, 401, path)
    assert.match(answer.text, /The login failed, or was started more than ten minutes ago or in another browser/)
    assert.equal(by.cookies.has('sallyport_admin'), false)
  }
  await refused(other, callback)
  // The state has been used by that.
  await refused(jar, callback)
  const again = await callbackOf(await begin(jar))
  await refused(jar, again.replace(/state=[^&]*/, `state=${'A'.repeat(43)}`))
  await refused(jar, `${again}&state=second`)
  await refused(jar, '/login/oidc/callback')
  assert.equal((await open(jar, again)).status, 303)
  jar.cookies.delete('sallyport_admin')
  await refused(jar, again)
  const late = await callbackOf(await begin(jar))
  clock.advance(10 * MINUTE)
  await refused(jar, late)
  assert.equal(await roleOf(jar), null)
})

test('two tabs of a browser can log in at the same time', async (t) => {
  const { begin, callbackOf, open } = await setUp(t)
  const jar = new Jar()
  const [first, second] = [await begin(jar, '/console/cache'), await begin(jar, '/console/routes')]
  assert.equal((await open(jar, await callbackOf(first))).headers.location, '/console/cache')
  assert.equal((await open(jar, await callbackOf(second))).headers.location, '/console/routes')
})

for (const [what, mischief] of [
  ['from another issuer', { claims: (claims: object) => ({ ...claims, iss: 'http://127.0.0.1:1' }) }],
  ['for another client', { claims: (claims: object) => ({ ...claims, aud: 'someone-else' }) }],
  ['that has expired', { claims: (claims: object) => ({ ...claims, exp: 1 }) }],
  ['from another login', { claims: (claims: object) => ({ ...claims, nonce: 'another' }) }],
  ['without a nonce', { claims: (claims: object) => ({ ...claims, nonce: undefined }) }],
  ['without a subject', { claims: (claims: object) => ({ ...claims, sub: undefined }) }],
  ['signed with another key', { signsWithAnother: true }],
] as const)
  test(`an ID token ${what} is rejected`, async (t) => {
    const { provider, logIn, roleOf } = await setUp(t)
    provider.mischief = mischief
    const { jar, answer } = await logIn()
    assert.equal(answer.status, 401)
    assert.equal(await roleOf(jar), null)
  })

test('an error from the provider is shown', async (t) => {
  const { provider, logIn } = await setUp(t)
  provider.mischief = { refusal: 'access_denied' }
  const { answer } = await logIn()
  assert.equal(answer.status, 403)
  assert.match(answer.text, /The provider has refused the login: access_denied/)
})

test('an unreachable provider is reported, and logins by password and token still work', async (t) => {
  const { ask, provider, begin, log } = await setUp(t, {}, { users, token: TOKEN })
  provider.isBroken = true
  const answer = await begin(new Jar())
  assert.equal(answer.status, 503)
  assert.equal(answer.headers['retry-after'], '1')
  assert.match(String(answer.json['detail']), /^The OpenID provider http:\S+ cannot be reached: the gateway's log/)
  await log.line({ message: 'The OpenID provider cannot be reached; existing sessions continue' })
  const login = await ask('/login', { method: 'POST', json: { name: 'ada', password: PASSWORD } })
  assert.equal(login.status, 200)
  assert.equal((await ask('/status', { headers: { Authorization: `Bearer ${TOKEN}` } })).status, 200)
})

test('if the provider fails during a login the page says so', async (t) => {
  const { provider, begin, callbackOf, open, roleOf } = await setUp(t)
  const jar = new Jar()
  const callback = await callbackOf(await begin(jar))
  provider.isBroken = true
  const answer = await open(jar, callback)
  assert.equal(answer.status, 503)
  assert.match(answer.text, /The OpenID provider http:\S+ cannot be reached/)
  assert.equal(await roleOf(jar), null)
})

test('redirects after a login never lead to another host', async (t) => {
  const { logIn, clock } = await setUp(t)
  for (const target of [
    '//evil.example.com/console/',
    'https://evil.example.com/console/',
    '/\\evil.example.com',
    '/console/\\evil',
    '/console/\tx',
    '/consoleevil',
    '/docs',
    '',
  ]) {
    const { answer } = await logIn(new Jar(), target)
    assert.deepEqual([answer.status, answer.headers.location], [303, '/console/'], target)
    clock.advance(MINUTE)
  }
})

test('logins cannot be started by other sites, or by a GET request', async (t) => {
  const { ask, provider, begin } = await setUp(t)
  const answer = await begin(new Jar(), undefined, { Origin: 'http://evil.example.com' })
  assert.equal(answer.status, 403)
  assert.equal((await ask('/login/oidc')).status, 404)
  assert.equal(provider.count('/.well-known/openid-configuration'), 0)
})

test('the limit of ten attempts a minute per address covers passwords and the provider together', async (t) => {
  const { ask, begin, clock } = await setUp(t, {}, { users })
  const statuses: number[] = []
  for (let i = 0; i < 9; i++) statuses.push((await begin(new Jar())).status)
  statuses.push((await ask('/login', { method: 'POST', json: { name: 'ada', password: 'no' } })).status)
  const late = await begin(new Jar())
  assert.deepEqual(new Set(statuses), new Set([200, 401]))
  assert.deepEqual([late.status, late.headers['retry-after']], [429, '60'])
  clock.advance(MINUTE)
  assert.equal((await begin(new Jar())).status, 200)
})

test('a session ends when the configuration drops its provider or its role, and only then', async (t) => {
  const { logIn, reload, roleOf, provider } = await setUp(t, {}, { token: TOKEN })
  const { jar: otto } = await logIn()
  provider.user = { sub: '8', preferred_username: 'vera', roles: ['everybody'] }
  const { jar: vera } = await logIn()
  await reload({ roles: { map: { ...map, more: 'admin' } }, clientSecret: 'another secret of the shop' })
  assert.deepEqual([await roleOf(otto), await roleOf(vera)], ['operator', 'viewer'])
  await reload({ roles: { map: { ...map, ops: 'viewer' } } })
  assert.deepEqual([await roleOf(otto), await roleOf(vera)], [null, 'viewer'])
  await reload({ roles: { claim: 'groups', map } })
  assert.equal(await roleOf(vera), null)
  await reload({})
  for (const gone of [null, { clientId: 'another' }, { issuer: 'http://127.0.0.1:1' }]) {
    const { jar } = await logIn()
    assert.equal(await roleOf(jar), 'viewer')
    await reload(gone)
    assert.equal(await roleOf(jar), null)
    await reload({})
  }
})

test('a login that was started with another provider configuration is rejected', async (t) => {
  const { begin, callbackOf, open, reload } = await setUp(t, {}, { token: TOKEN })
  const jar = new Jar()
  const callback = await callbackOf(await begin(jar))
  await reload({ clientId: 'another' })
  assert.equal((await open(jar, callback)).status, 401)
  await reload(null)
  assert.equal((await begin(jar)).status, 409)
})

test('behind a proxy that reports https the cookies are Secure, and the callback URL is https', async (t) => {
  const clock = new ManualClock()
  const provider = await startOpenIdProvider(t, clock)
  provider.user = { sub: '7', roles: 'ops' }
  const oidc: Oidc = { issuer: provider.url, ...CLIENT, roles: { map } }
  const publicUrl = 'https://console.example.com'
  const { ask } = await startAdminGateway(
    t,
    { ...proxyTo('http://127.0.0.1:1'), trustedProxies: ['127.0.0.1'], admin: { oidc, publicUrl } },
    { clock },
  )
  const proxied = { Host: 'console.example.com', 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' }
  const begun = await ask('/login/oidc', { method: 'POST', json: {}, headers: proxied })
  const cookie = String(begun.headers['set-cookie'])
  assert.match(cookie, /^__Host-sallyport_admin-login=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/)
  const reply = await fetch(String(begun.json['url']), { redirect: 'manual' })
  const back = new URL(reply.headers.get('Location') ?? '')
  assert.equal(back.origin + back.pathname, `${publicUrl}/login/oidc/callback`)
  const headers = { ...proxied, Cookie: cookie.split(';')[0]! }
  const answer = await ask(back.pathname + back.search, { headers })
  assert.equal(answer.status, 303)
  assert.match(String(answer.headers['set-cookie']), /^__Host-sallyport_admin=[\w-]{43}; .*SameSite=Strict; Secure$/)
  // Under another name no login would be redirected back.
  const elsewhere = await ask('/login/oidc', { method: 'POST', json: {} })
  assert.equal(elsewhere.status, 409)
  assert.match(String(elsewhere.json['detail']), /return to https:\/\/console\.example\.com: open the console there/)
})

test('a login at a host that no URL can have gets 400', async (t) => {
  const { begin, log } = await setUp(t)
  const { status } = await begin(new Jar(), undefined, { Host: 'localhost:99999' })
  assert.equal(status, 400)
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

test('with an https publicUrl the cookies are Secure, whatever the proxy reports', async (t) => {
  const { ask, callbackOf } = await setUp(t, {}, { publicUrl: 'https://console.example.com' })
  const proxied = { Host: 'console.example.com', Origin: 'https://console.example.com' }
  const begun = await ask('/login/oidc', { method: 'POST', json: {}, headers: proxied })
  const cookie = String(begun.headers['set-cookie'])
  assert.match(cookie, /^__Host-sallyport_admin-login=.*; Secure$/)
  const headers = { ...proxied, Cookie: cookie.split(';')[0]! }
  const answer = await ask(await callbackOf(begun), { headers })
  assert.match(String(answer.headers['set-cookie']), /^__Host-sallyport_admin=.*; Secure$/)
  const session = { ...proxied, Cookie: String(answer.headers['set-cookie']).split(';')[0]! }
  const { json } = await ask('/logout', { method: 'POST', headers: session })
  const back = new URL(String(json['leave'])).searchParams.get('post_logout_redirect_uri')
  assert.equal(back, 'https://console.example.com/console/')
})

test('codes, states and tokens of logins are not logged', async (t) => {
  const { provider, begin, callbackOf, open, log } = await setUp(t)
  const jar = new Jar()
  const callback = await callbackOf(await begin(jar))
  provider.mischief = { tokenError: 'invalid_grant' }
  assert.equal((await open(jar, callback)).status, 401)
  const query = new URL(callback, 'http://a').searchParams
  const text = JSON.stringify(log.lines)
  for (const secret of [
    query.get('state')!,
    query.get('code')!,
    CLIENT.clientSecret,
    jar.cookies.get('sallyport_admin-login')!,
  ])
    assert.ok(!text.includes(secret))
})

test('unknown callbacks are logged at debug only, and failed ones without their code', async (t) => {
  const { begin, open, log } = await setUp(t)
  const jar = new Jar()
  assert.equal((await open(jar, '/login/oidc/callback?code=the-code&state=a')).status, 401)
  const begun = await begin(jar)
  const state = new URL(String(begun.json['url'])).searchParams.get('state')
  assert.equal((await open(jar, `/login/oidc/callback?code=the-code&state=${state}`)).status, 401)
  const refused = log.lines.filter(({ message }) => message === 'A login at the provider was refused')
  assert.deepEqual(
    refused.map(({ level }) => level),
    ['debug', 'warn'],
  )
  assert.ok(!JSON.stringify(log.lines).includes('the-code'))
})

test('a provider that does not respond times out', async (t) => {
  const requested = Promise.withResolvers<void>()
  const silent = await startService(t, () => requested.resolve())
  const { begin, clock } = await setUp(t, { issuer: silent.url })
  const answer = begin(new Jar())
  await requested.promise
  clock.advance(5000)
  assert.equal((await answer).status, 503)
})
