import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../src/core/clock.ts'
import { createGateway } from '../src/gateway.ts'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway, TestLog } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

const TOKEN = 'correct-horse-battery'
const drain = '/services/backend/instances/127.0.0.1:1/drain'
const forced = `${drain}?force=true`
const backend = proxyTo('http://127.0.0.1:1')

test('every path requires the token if there is one', async (t) => {
  const { adminPort, ask } = await startAdminGateway(t, { admin: { token: TOKEN } })
  const { json } = await ask('/', { headers: { Authorization: `Bearer ${TOKEN}` } })
  const open = new Set(['/login', '/logout', '/session', '/login/oidc', '/login/oidc/callback'])
  const paths = (json['endpoints'] as { method: string; path: string }[])
    .filter(({ path }) => !open.has(path))
    .map(({ method, path }) => [method, path])
  assert.ok(paths.length > 10)
  const others = ['/docs', '/docs/static/swagger-ui.css', '/docs/json', '/nowhere', '/%zz', '//', '/services/..%2f']
  for (const [method, path] of [...paths, ...others.map((other) => ['GET', other])])
    for (const authorization of [
      undefined,
      'Bearer',
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
    ]) {
      const headers = authorization === undefined ? {} : { Authorization: authorization }
      const answer = await ask(path!, { method: method!, headers })
      assert.equal(answer.status, 401, `${method} ${path} with ${authorization}`)
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="sallyport-admin"')
      assert.equal(answer.headers['content-type'], 'application/problem+json')
    }
  for (const path of ['/status', '/docs', '/docs/static/swagger-ui.css'])
    assert.equal((await send(adminPort, { path, headers: { Authorization: `bearer ${TOKEN}` } })).status, 200)
  const rebound = { Authorization: `Bearer ${TOKEN}`, Host: 'admin.example.com' }
  assert.equal((await send(adminPort, { path: '/status', headers: rebound })).status, 200)
})

test('without a token only Host names of the loopback interface are accepted', async (t) => {
  const { adminPort } = await startAdminGateway(t, {})
  const statusFor = async (host: string): Promise<number> =>
    (await send(adminPort, { path: '/status', headers: { Host: host } })).status
  for (const host of ['localhost', 'LOCALHOST:9000', '127.0.0.1', `127.0.0.1:${adminPort}`, '[::1]:9000'])
    assert.equal(await statusFor(host), 200, host)
  for (const host of ['rebound.example.com', 'localhost.example.com', '127.0.0.1.example.com:9000', '10.0.0.1', '::1'])
    assert.equal(await statusFor(host), 421, `"${host}"`)
})

test('pages of other origins cannot change anything', async (t) => {
  const { adminPort, ask } = await startAdminGateway(t, backend)
  const statusWith = async (headers: Record<string, string>): Promise<number> =>
    (await send(adminPort, { method: 'PUT', path: forced, headers })).status
  const own = `http://127.0.0.1:${adminPort}`
  const allowed: Record<string, string>[] = [
    { 'Content-Type': 'application/json' },
    { 'Content-Type': 'application/json; charset=utf-8' },
    { 'X-Requested-With': 'curl' },
    { Origin: own },
    { Origin: own, 'Content-Type': 'application/json' },
  ]
  for (const headers of allowed) assert.equal(await statusWith(headers), 200, JSON.stringify(headers))
  await ask(drain, { method: 'DELETE' })
  const refused: Record<string, string>[] = [
    {},
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/jsonp' },
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    { Origin: 'null', 'Content-Type': 'application/json' },
    { Origin: 'http://evil.example.com', 'Content-Type': 'application/json', 'X-Requested-With': 'x' },
    { Origin: `http://127.0.0.1:${adminPort + 1}`, 'X-Requested-With': 'x' },
    { Origin: 'http://localhost', Authorization: 'Bearer x' },
  ]
  for (const headers of refused) assert.equal(await statusWith(headers), 403, JSON.stringify(headers))
  const { instances } = (await ask('/services/backend')).json as { instances: { drained: boolean }[] }
  assert.equal(instances[0]!.drained, false)
})

test('pages of other origins can neither read nor frame responses', async (t) => {
  const { adminPort } = await startAdminGateway(t, {})
  const headers = { Origin: 'http://localhost:3000', 'Access-Control-Request-Method': 'PUT' }
  for (const [method, path] of [
    ['GET', '/status'],
    ['OPTIONS', '/log-level'],
    ['GET', '/nowhere'],
    ['GET', '/docs'],
    ['GET', '/docs/static/swagger-ui.css'],
  ] as const) {
    const answer = await send(adminPort, { method, path, headers })
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    )
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['x-frame-options'], 'DENY')
    assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin')
    assert.match(answer.headers['content-security-policy'] as string, /^default-src 'none'; .*frame-ancestors 'none'/)
  }
})

test('bodies that are too large, malformed or of another type get a problem document', async (t) => {
  const { ask, adminPort } = await startAdminGateway(t, {})
  const put = { method: 'PUT', path: '/log-level' }
  const large = JSON.stringify({ level: 'a'.repeat(20_000) })
  const json = { 'Content-Type': 'application/json' }
  for (const [what, status] of [
    [{ ...put, headers: json, body: large }, 413],
    [{ ...put, headers: json, body: '{' }, 400],
    [{ ...put, headers: json, body: '{"__proto__":{},"level":"info"}' }, 400],
    [{ ...put, headers: json }, 400],
    [{ ...put, headers: { 'X-Requested-With': 'x', 'Content-Type': 'text/xml' }, body: '<a/>' }, 415],
    [{ path: `/limits/user:${'4'.repeat(2000)}` }, 414],
    [{ path: '/%zz' }, 400],
  ] as const) {
    const answer = await send(adminPort, what)
    assert.deepEqual([answer.status, answer.headers['content-type']], [status, 'application/problem+json'], answer.text)
    assert.equal((JSON.parse(answer.text) as { status: number }).status, status)
  }
  assert.deepEqual((await ask('/log-level')).json, { level: 'debug' })
})

test('an incomplete request delays shutdown by one second at most', async (t) => {
  const clock = new ManualClock()
  const { adminPort, gateway } = await startAdminGateway(t, {}, { clock })
  const socket = connect(adminPort, '127.0.0.1').on('error', () => {})
  const closed = new Promise((resolve) => socket.on('close', resolve))
  const head = `PUT /log-level HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n`
  socket.write(`${head}Expect: 100-continue\r\n\r\n`)
  // Signals that the head has been read.
  await once(socket, 'data')
  const end = { reached: false }
  void gateway.close().then(() => (end.reached = true))
  while (!end.reached) {
    await setImmediate()
    clock.advance(1000)
  }
  await closed
})

test('the main listener has none of the admin endpoints', async (t) => {
  const { port, ask } = await startAdminGateway(t, {})
  const { json } = await ask('/')
  const endpoints = json['endpoints'] as { method: string; path: string }[]
  const shared = new Set(['/health', '/metrics', '/docs', '/openapi.json'])
  const only = endpoints.filter(({ path }) => !shared.has(path))
  assert.ok(only.length > 10)
  for (const { method, path } of only)
    assert.equal((await send(port, { method, path })).status, 404, `${method} ${path}`)
})

test('a client cannot reach the admin listener through a service', async (t) => {
  const admin = await startAdminGateway(t, {})
  const { port } = await startGateway(t, proxyTo(`http://127.0.0.1:${admin.adminPort}`))
  assert.equal((await send(port, { path: '/status', headers: { Host: 'gateway.example.com' } })).status, 421)
})

test('without a token requests forwarded by a proxy are rejected, whatever their Host', async (t) => {
  const admin = await startAdminGateway(t, backend)
  const url = `http://127.0.0.1:${admin.adminPort}`
  const { port } = await startGateway(t, proxyTo(url, { service: { host: 'localhost' } }))
  for (const headers of [{}, { Host: 'localhost' }]) {
    const answer = await send(port, { path: '/status', headers })
    assert.equal(answer.status, 403)
    const { detail } = JSON.parse(answer.text) as { detail: string }
    assert.match(
      detail,
      /^The request came through a proxy, as [\w-]+ says\. Send it to the admin listener directly, or set ADMIN_TOKEN\.$/,
    )
  }
  const put = { method: 'PUT', path: forced, headers: { 'X-Requested-With': 'x' } }
  assert.equal((await send(port, put)).status, 403)
  for (const name of ['Via', 'Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP', 'CF-Connecting-IP'])
    assert.equal((await send(admin.adminPort, { path: '/status', headers: { [name]: 'x' } })).status, 403, name)
  assert.equal((await send(admin.adminPort, { path: '/status', headers: { 'X-Forward': 'x' } })).status, 200)
})

test('with a token requests through a proxy are accepted', async (t) => {
  const { adminPort } = await startAdminGateway(t, { admin: { token: TOKEN } })
  const headers = { Authorization: `Bearer ${TOKEN}`, Via: '1.1 proxy', 'X-Forwarded-For': '192.0.2.1' }
  assert.equal((await send(adminPort, { path: '/status', headers })).status, 200)
})

test('keep-alive connections do not delay shutdown', async (t) => {
  const { adminPort, gateway } = await startAdminGateway(t, {})
  const agent = new Agent({ keepAlive: true })
  assert.equal((await send(adminPort, { path: '/status', agent })).status, 200)
  await gateway.close()
  await assert.rejects(send(adminPort, { path: '/status' }), { code: 'ECONNREFUSED' })
  agent.destroy()
})

test('an admin address in use is an error that says so, and nothing is left running', async (t) => {
  const { adminPort } = await startAdminGateway(t, {})
  const output = new TestLog(systemClock)
  const config = { listeners: [{ address: '127.0.0.1:0' }], admin: { address: `127.0.0.1:${adminPort}` } }
  await assert.rejects(createGateway(config, { output }), (error: Error) => {
    assert.match(error.message, new RegExp(`^cannot listen on the admin address 127\\.0\\.0\\.1:${adminPort}: free it`))
    assert.match(String(error.cause), /EADDRINUSE/)
    return true
  })
})

test('without an admin listener adminAddress is null', async (t) => {
  const { gateway } = await startGateway(t, { admin: false })
  assert.equal(gateway.adminAddress, null)
})
