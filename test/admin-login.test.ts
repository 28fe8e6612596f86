/** Users of the admin listener: who can log in, for how long, and with which permissions. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { type AdminAsk, startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { proxyTo } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { quickDigestOf } from './support/password.ts'
import { turnUntil } from './support/settled.ts'

const TOKEN = 'correct-horse-battery'
const PASSWORD = 'a password of theirs'
const password = quickDigestOf(PASSWORD)
const users = [
  { name: 'vera', password, role: 'viewer' },
  { name: 'otto', password, role: 'operator' },
  { name: 'ada', password, role: 'admin' },
] as const
const backend = proxyTo('http://127.0.0.1:1', { policies: { 'rate-limit': {}, cache: {} } })
const drain = '/services/backend/instances/127.0.0.1:1/drain?force=true'

async function start(t: TestContext, { admin = {}, ...more }: GatewayInput = {}, clock?: ManualClock) {
  const started = await startAdminGateway(
    t,
    { ...backend, ...more, admin: { users: [...users], ...admin } },
    clock === undefined ? {} : { clock },
  )
  const { ask } = started
  const logIn = (name: string, headers: Record<string, string> = {}, typed = PASSWORD) =>
    ask('/login', { method: 'POST', json: { name, password: typed }, headers })
  /** What the user's browser sends from now on. */
  const sessionOf = async (name: string): Promise<{ Cookie: string }> => {
    const answer = await logIn(name)
    assert.equal(answer.status, 200, answer.text)
    return { Cookie: cookieOf(answer.headers['set-cookie']).split(';')[0]! }
  }
  return { ...started, logIn, sessionOf }
}

function cookieOf(fields: readonly string[] | undefined): string {
  assert.equal(fields?.length, 1)
  return fields[0]!
}

test('a user logs in, has a session, and logs out', async (t) => {
  const { ask, logIn, sessionOf } = await start(t)
  assert.equal((await ask('/status')).status, 401)
  assert.deepEqual((await ask('/session')).json, {
    name: null,
    role: null,
    by: null,
    users: true,
    provider: null,
    token: false,
  })
  assert.match(
    cookieOf((await logIn('vera')).headers['set-cookie']),
    /^sallyport_admin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  )
  const headers = await sessionOf('vera')
  assert.equal((await ask('/status', { headers })).status, 200)
  const known = { name: 'vera', role: 'viewer', by: 'session', users: true, provider: null, token: false }
  assert.deepEqual((await ask('/session', { headers })).json, known)
  const out = await ask('/logout', { method: 'POST', headers })
  assert.match(cookieOf(out.headers['set-cookie']), /^sallyport_admin=; .*Max-Age=0$/)
  assert.equal((await ask('/status', { headers })).status, 401)
})

test('behind a trusted proxy that reports https the cookie is Secure', async (t) => {
  const { ask, logIn } = await start(t, { trustedProxies: ['127.0.0.1'] })
  const https = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' }
  const cookie = cookieOf((await logIn('vera', https)).headers['set-cookie'])
  assert.match(cookie, /^__Host-sallyport_admin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/)
  const [pair = ''] = cookie.split(';')
  const statusWith = async (headers: Record<string, string>): Promise<number> =>
    (await ask('/status', { headers })).status
  assert.equal(await statusWith({ ...https, Cookie: `other=1; ${pair}` }), 200)
  // A neighboring host can set a cookie with the plain name.
  assert.equal(await statusWith({ ...https, Cookie: pair.replace('__Host-', '') }), 401)
  assert.equal(await statusWith({ Cookie: pair }), 401)
})

test('X-Forwarded-Proto of an untrusted proxy is ignored', async (t) => {
  const { logIn } = await start(t)
  const answer = await logIn('vera', { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' })
  assert.match(cookieOf(answer.headers['set-cookie']), /^sallyport_admin=/)
})

test('a session planted in the browser ends at login, so session fixation fails', async (t) => {
  const { ask, logIn, sessionOf } = await start(t)
  const planted = await sessionOf('vera')
  const answer = await logIn('ada', planted)
  const own = cookieOf(answer.headers['set-cookie']).split(';')[0]!
  assert.notEqual(own, planted.Cookie)
  assert.equal((await ask('/status', { headers: planted })).status, 401)
  assert.equal((await ask('/session', { headers: { Cookie: own } })).json['name'], 'ada')
  const made = `sallyport_admin=${'A'.repeat(43)}`
  assert.notEqual(cookieOf((await logIn('ada', { Cookie: made })).headers['set-cookie']).split(';')[0], made)
})

test('wrong passwords and unknown names get the same response, and no password is logged', async (t) => {
  const { ask, logIn, log } = await start(t)
  const wrong = await logIn('vera', {}, 'not-her-password')
  const unknown = await logIn('not-a-name-but-a-password')
  for (const answer of [wrong, unknown]) {
    assert.equal(answer.status, 401)
    assert.equal(answer.json['detail'], 'The name or the password is wrong.')
    assert.equal(answer.headers['set-cookie'], undefined)
  }
  assert.equal((await ask('/login', { method: 'POST', json: { name: 'vera' } })).status, 400)
  await logIn('vera')
  const text = JSON.stringify(log.lines)
  for (const secret of [PASSWORD, 'not-her-password', 'not-a-name-but-a-password']) assert.ok(!text.includes(secret))
  assert.deepEqual(
    log.lines
      .filter(({ message }) => /login|logged in/.test(String(message)))
      .map(({ operator, message }) => [operator, message]),
    [
      ['vera', 'A login was refused: the name or the password is wrong'],
      [null, 'A login was refused: the name or the password is wrong'],
      ['vera', 'An operator has logged in'],
    ],
  )
})

test('after ten attempts a minute, logins are rejected without checking the password', async (t) => {
  const clock = new ManualClock()
  const { logIn } = await start(t, {}, clock)
  for (let i = 0; i < 10; i++) assert.equal((await logIn(`nobody-${i}`)).status, 401)
  const refused = await logIn('vera')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers['retry-after'], '60')
  clock.advance(60_000)
  assert.equal((await logIn('vera')).status, 200)
})

test('sessions expire, and end when a reload changes their user', async (t) => {
  const clock = new ManualClock()
  const { ask, sessionOf, gateway } = await start(t, { admin: { loginLifetime: '3h' } }, clock)
  const [vera, ada] = [await sessionOf('vera'), await sessionOf('ada')]
  clock.advance(90 * 60_000)
  assert.equal((await ask('/status', { headers: ada })).status, 200)
  clock.advance(31 * 60_000)
  assert.equal((await ask('/status', { headers: vera })).status, 401)
  assert.equal((await ask('/status', { headers: ada })).status, 200)
  const otto = await sessionOf('otto')
  const fewer = [users[1], { ...users[2], role: 'viewer' as const }]
  await gateway.reload({
    ...backend,
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0', users: fewer },
  })
  assert.equal((await ask('/status', { headers: otto })).status, 200)
  assert.equal((await ask('/status', { headers: ada })).status, 401)
})

test('pages of other origins cannot change anything with a session', async (t) => {
  const { adminPort, sessionOf } = await start(t)
  const ada = await sessionOf('ada')
  const statusWith = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await send(adminPort, { method: path === drain ? 'PUT' : 'POST', path, headers: { ...ada, ...headers } })).status
  for (const path of [drain, '/logout', '/login']) {
    assert.equal(await statusWith(path, {}), 403)
    assert.equal(await statusWith(path, { 'Content-Type': 'text/plain' }), 403)
    const foreign = { Origin: `http://127.0.0.1:${adminPort + 1}`, 'Content-Type': 'application/json' }
    assert.equal(await statusWith(path, foreign), 403)
    assert.equal(await statusWith(path, { ...foreign, 'X-Requested-With': 'x' }), 403)
  }
  assert.equal(await statusWith(drain, { Authorization: 'Bearer wrong', Origin: 'http://evil.example.com' }), 401)
  assert.equal(await statusWith(drain, { 'X-Requested-With': 'console' }), 200)
})

test('viewers can read everything and change nothing', async (t) => {
  const { ask, sessionOf } = await start(t)
  const [vera, otto] = [await sessionOf('vera'), await sessionOf('otto')]
  const { endpoints } = (await ask('/', { headers: vera })).json as {
    endpoints: { method: string; path: string; role: string }[]
  }
  const own = new Set(['/login', '/login/oidc', '/login/oidc/callback', '/logout', '/session'])
  const statusOf = async (method: string, path: string, headers: object): Promise<number> => {
    const what: AdminAsk = { method, headers: { ...headers } }
    return (await ask(path.replace(/\{\w+\}/g, 'nowhere'), what)).status
  }
  const changes = endpoints.filter(({ method, path }) => method !== 'GET' && !own.has(path))
  assert.ok(changes.length >= 10)
  for (const { method, path, role } of changes) {
    assert.notEqual(role, 'viewer')
    const answer = await ask(path.replace(/\{\w+\}/g, 'nowhere'), { method, headers: vera })
    assert.equal(answer.status, 403, `${method} ${path}`)
    assert.equal(answer.json['detail'], `This needs the role ${role}, and "vera" has the role viewer.`)
    assert.equal((await statusOf(method, path, otto)) === 403, role === 'admin', `${method} ${path}`)
  }
  for (const { method, path, role } of endpoints)
    if (method === 'GET' && path !== '/events' && !own.has(path)) {
      assert.equal(role, 'viewer')
      assert.notEqual(await statusOf(method, path, vera), 403, path)
    }
  // An unknown path does not bypass it.
  for (const path of ['/nowhere', '/config/', '/docs', '/console/x'])
    assert.equal(await statusOf('POST', path, vera), 403)
  assert.equal((await ask('/docs', { headers: vera })).status, 200)
})

test('each role can do what it allows, and changes are logged with the name', async (t) => {
  const { ask, sessionOf, log } = await start(t, { admin: { token: TOKEN } })
  const [vera, otto] = [await sessionOf('vera'), await sessionOf('otto')]
  const bearer = { Authorization: `Bearer ${TOKEN}` }
  assert.equal((await ask(drain, { method: 'PUT', headers: vera })).status, 403)
  assert.equal((await ask(drain, { method: 'PUT', headers: otto })).status, 200)
  assert.equal((await ask('/config/rollback', { method: 'POST', headers: otto })).status, 403)
  assert.equal((await ask('/config/rollback?token=hidden', { method: 'POST', headers: bearer })).status, 400)
  // A cookie does not make up for an invalid token.
  assert.equal((await ask('/status', { headers: { ...otto, Authorization: 'Bearer no' } })).status, 401)
  assert.deepEqual((await ask('/session', { headers: bearer })).json, {
    name: null,
    role: 'admin',
    by: 'token',
    users: true,
    provider: null,
    token: true,
  })
  assert.deepEqual(
    log.lines
      .filter(({ message }) => message === 'An operator has asked for a change')
      .map(({ operator, by, role, method, path, status }) => [operator, by, role, method, path, status]),
    [
      ['vera', 'session', 'viewer', 'PUT', drain, 403],
      ['otto', 'session', 'operator', 'PUT', drain, 200],
      ['otto', 'session', 'operator', 'POST', '/config/rollback', 403],
      [null, 'token', 'admin', 'POST', '/config/rollback?token=[redacted]', 400],
    ],
  )
})

test('a change is logged with the name even if the connection is lost before the reply', async (t) => {
  const { ask, sessionOf, log } = await start(t)
  const otto = await sessionOf('otto')
  const cut = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage }
    if (request.method === 'DELETE') request.socket.destroy()
  }
  subscribe('http.server.request.start', cut)
  t.after(() => unsubscribe('http.server.request.start', cut))
  await assert.rejects(ask('/limits/user:42', { method: 'DELETE', headers: otto }))
  await log.line({ message: 'An operator has asked for a change', operator: 'otto', path: '/limits/user:42' })
})

test('GET /events ends with the session', async (t) => {
  const clock = new ManualClock()
  const { adminPort, ask, sessionOf } = await start(t, {}, clock)
  const vera = await sessionOf('vera')
  const response = await fetch(`http://127.0.0.1:${adminPort}/events`, { headers: vera })
  assert.equal(response.status, 200)
  await ask('/logout', { method: 'POST', headers: vera })
  const end = { reached: false }
  void response.text().then(() => (end.reached = true))
  while (!end.reached) {
    clock.advance(1000)
    await ask('/session')
  }
})

for (const [what, before, after] of [
  ['of the token ends when that changes', { token: TOKEN }, { token: 'another-horse-battery' }],
  ['that needed no login ends when one is needed', {}, { token: TOKEN }],
] as const)
  test(`GET /events ${what}`, async (t) => {
    const clock = new ManualClock()
    const listeners = [{ address: '127.0.0.1:0' }]
    const configOf = (admin: object) => ({ ...backend, listeners, admin: { address: '127.0.0.1:0', ...admin } })
    const { adminPort, gateway } = await startAdminGateway(t, configOf(before), { clock })
    const headers = 'token' in before ? { Authorization: `Bearer ${TOKEN}` } : {}
    const response = await fetch(`http://127.0.0.1:${adminPort}/events`, { headers })
    assert.equal(response.status, 200)
    await gateway.reload(configOf(after))
    const end = { reached: false }
    void response.text().then(() => (end.reached = true))
    await turnUntil('the end of the stream', () => {
      clock.advance(1000)
      return end.reached
    })
  })

test('on loopback without users and token no login is needed', async (t) => {
  const { ask } = await startAdminGateway(t, backend)
  const reported = { name: null, role: 'admin', by: 'machine', users: false, provider: null, token: false }
  assert.deepEqual((await ask('/session')).json, reported)
  assert.equal((await ask('/login', { method: 'POST', json: { name: 'ada', password: 'x' } })).status, 409)
  assert.equal((await ask(drain, { method: 'PUT' })).status, 200)
})

test('a token or password of the wrong length is not quoted in the answer', async (t) => {
  const { ask } = await startAdminGateway(t, { ...backend, admin: { token: TOKEN } })
  const secret = 'sesame'.repeat(700)
  for (const json of [{ token: secret }, { name: 'ada', password: secret }]) {
    const { status, text } = await ask('/login', { method: 'POST', json })
    assert.equal(status, 400)
    assert.match(text, /expected 1 to \d+ characters/)
    assert.ok(!text.includes('sesame'))
  }
})

test('the token can be exchanged for a session, by so many attempts a minute', async (t) => {
  const { ask, log } = await startAdminGateway(t, { ...backend, admin: { token: TOKEN } })
  const logIn = (token: string) => ask('/login', { method: 'POST', json: { token } })
  const wrong = await logIn('another-token-of-theirs')
  assert.deepEqual([wrong.status, wrong.json['detail']], [401, 'The token is wrong.'])
  assert.equal(wrong.headers['set-cookie'], undefined)
  const answer = await logIn(TOKEN)
  const known = { name: null, role: 'admin', by: 'token', users: false, provider: null, token: true }
  assert.deepEqual(answer.json, known)
  const cookie = cookieOf(answer.headers['set-cookie'])
  assert.match(cookie, /^sallyport_admin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
  const headers = { Cookie: cookie.split(';', 1)[0]! }
  assert.equal((await ask('/docs/', { headers })).status, 200)
  assert.equal((await ask(drain, { method: 'PUT', headers })).status, 200)
  assert.ok(!JSON.stringify(log.lines).includes(TOKEN))
  await ask('/logout', { method: 'POST', headers })
  assert.equal((await ask('/status', { headers })).status, 401)
  const statuses = []
  for (let i = 0; i < 10; i++) statuses.push((await logIn('another-token-of-theirs')).status)
  assert.equal(statuses.at(-1), 429)
})

test('a browser that opens a page without being logged in is sent to the console, and programs are not', async (t) => {
  const { ask } = await start(t)
  const html = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  for (const path of ['/', '/docs', '/docs/', '/status?a=b&c=d']) {
    const sent = await ask(path, { headers: html })
    const target = new URLSearchParams({ return: path }).toString()
    assert.deepEqual([sent.status, sent.headers['location']], [303, `/console/?${target}`], path)
    assert.equal(sent.headers['cache-control'], 'no-store')
    for (const headers of [
      {},
      { Accept: '*/*' },
      { Accept: 'application/json' },
      { ...html, Authorization: 'Bearer no' },
    ])
      assert.equal((await ask(path, { headers })).status, 401, path)
    assert.equal((await ask(path, { method: 'POST', headers: html })).status, 401, path)
  }
})
