import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { type Ask, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startService } from './support/service.ts'

type Auth = Exclude<NonNullable<GatewayInput['policies']>['auth'], false | undefined>
type Forward = Partial<NonNullable<Auth['methods']['forward']>>
type Decide = (request: IncomingMessage, response: ServerResponse) => void

/** Accepts "Bearer good" as alice. */
const byToken: Decide = ({ headers }, response) => {
  if (headers.authorization === 'Bearer good')
    response.writeHead(200, { 'X-Auth-User': 'alice', 'X-Auth-Roles': 'admin, auditor', 'X-Session': 's-1' }).end('ok')
  else
    response
      .writeHead(302, { Location: 'https://id.example.com/login', 'Set-Cookie': ['a=1', 'b=2'], 'X-Inner': 'x' })
      .end('Sign in')
}

async function setUp(
  t: TestContext,
  decide: Decide,
  options: Forward = {},
  auth: Partial<Auth> = {},
  clock?: ManualClock,
) {
  const decider = await startService(t, decide)
  const service = await startService(t)
  const forward = { service: 'decider', path: '/verify', ...options }
  const config = proxyTo(service.url, { policies: { auth: { ...auth, methods: { forward } } } })
  const services = { ...config.services, decider: { instances: [decider.url], health: false as const } }
  const { port, log } = await startGateway(t, { ...config, services }, clock === undefined ? {} : { clock })
  return { decider, service, log, ask: (more: Ask = {}) => send(port, more) }
}

const good = { Authorization: 'Bearer good' }
const names = { consumer: { id: 'X-Auth-User', roles: 'X-Auth-Roles' }, copyFields: ['X-Session'] }

test('the auth service gets the head of the request, without its body', async (t) => {
  const { decider, service, ask } = await setUp(t, byToken)
  const reply = await ask({
    method: 'POST',
    path: '/a/b?c=d',
    headers: { ...good, Host: 'api.example.com', Cookie: 'a=1', 'X-Other': 'secret', 'X-Forwarded-Uri': '/forged' },
    body: 'hello',
  })
  assert.equal(reply.status, 200)
  const { method, url, headers } = decider.received[0]!
  assert.deepEqual([method, url, headers['content-length']], ['GET', '/verify', undefined])
  assert.partialDeepStrictEqual(headers, {
    authorization: 'Bearer good',
    cookie: 'a=1',
    'x-forwarded-method': 'POST',
    'x-forwarded-uri': '/a/b?c=d',
    'x-forwarded-host': 'api.example.com',
    'x-forwarded-proto': 'http',
    'x-forwarded-for': '127.0.0.1',
  })
  assert.equal(headers['x-other'], undefined)
  assert.equal(service.received[0]!.headers['content-length'], '5')
})

test('with mirror it gets the method, path and query of the request', async (t) => {
  const { decider, ask } = await setUp(t, byToken, { mirror: true, path: '/check/' })
  await ask({ method: 'DELETE', path: '/a/b?c=d', headers: good })
  assert.deepEqual([decider.received[0]!.method, decider.received[0]!.url], ['DELETE', '/check/a/b?c=d'])
})

test('it decides the identity and the copied headers, whatever the client sends', async (t) => {
  const { service, ask } = await setUp(t, byToken, names, { require: { roles: ['auditor'] } })
  const forged = { 'X-Session': 'forged', X_Session: 'forged', 'X-User-ID': 'root' }
  assert.equal((await ask({ headers: { ...good, ...forged } })).status, 200)
  const { headers } = service.received[0]!
  assert.deepEqual(
    [
      headers['x-user-id'],
      headers['x-user-roles'],
      headers['x-consumer-tier'],
      headers['x-session'],
      headers['x_session'],
    ],
    ['alice', 'admin,auditor', 'authenticated', 's-1', undefined],
  )
})

test('its rejection is returned, with the headers that are meant for clients', async (t) => {
  const { service, ask } = await setUp(t, byToken, names)
  const reply = await ask({ headers: { Authorization: 'Bearer bad' } })
  assert.deepEqual([reply.status, reply.text], [302, 'Sign in'])
  assert.equal(reply.headers['location'], 'https://id.example.com/login')
  assert.deepEqual(reply.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(reply.headers['cache-control'], 'no-store')
  assert.equal(reply.headers['x-inner'], undefined)
  assert.equal(service.received.length, 0)
})

test('on a public path a rejected caller is anonymous, and forged headers are dropped', async (t) => {
  const { service, ask } = await setUp(t, byToken, names, { public: ['/open'] })
  assert.equal((await ask({ path: '/open', headers: { 'X-Session': 'forged' } })).status, 200)
  const { headers } = service.received[0]!
  assert.deepEqual([headers['x-user-id'], headers['x-session']], [undefined, undefined])
})

test('an accepted request without a name is anonymous and has no roles', async (t) => {
  const open: Decide = (_, response) => void response.writeHead(204).end()
  const { service, ask } = await setUp(t, open, names)
  assert.equal((await ask()).status, 200)
  assert.equal(service.received[0]!.headers['x-user-id'], undefined)
  const strict = await setUp(t, open, names, { require: { roles: ['admin'] } })
  assert.equal((await strict.ask()).status, 403)
})

test('while it fails, requests are rejected unless configured otherwise', async (t) => {
  const broken: Decide = (_, response) => void response.writeHead(500).end('broken')
  const closed = await setUp(t, broken)
  const reply = await closed.ask({ headers: good })
  assert.equal(reply.status, 503)
  assert.ok(!reply.text.includes('broken'))
  assert.equal(closed.service.received.length, 0)
  await closed.log.line({ message: 'The authorization service does not answer' })
  const open = await setUp(t, broken, { ...names, onUnreachable: 'accept' })
  assert.equal((await open.ask({ headers: good })).status, 200)
  assert.equal(open.service.received[0]!.headers['x-user-id'], undefined)
})

test('a reply that is too long is a failure', async (t) => {
  const { ask } = await setUp(t, (_, response) => void response.writeHead(200).end('x'.repeat(70_000)))
  assert.equal((await ask()).status, 503)
})

test('its decisions are cached for the configured time', async (t) => {
  const clock = new ManualClock()
  const { decider, service, ask } = await setUp(t, byToken, { ...names, cache: '5s' }, {}, clock)
  const requested = async (more: Ask, questions: number): Promise<void> => {
    await ask(more)
    assert.equal(decider.received.length, questions)
  }
  await requested({ headers: good }, 1)
  await requested({ headers: good }, 1)
  assert.equal(service.received[1]!.headers['x-session'], 's-1')
  await requested({ headers: good, path: '/other' }, 2)
  await requested({ headers: { Authorization: 'Bearer bad' } }, 3)
  await requested({ headers: { Authorization: 'Bearer bad' } }, 4)
  clock.advance(5001)
  await requested({ headers: good }, 5)
})
