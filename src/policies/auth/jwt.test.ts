import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { startKeyServer } from '../../../test/support/key-server.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { makeToolbox } from '../../../test/support/policy.ts'
import { jwkOf, NOW, pairs, pemOf, SECRET, tokenOf } from '../../../test/support/tokens.ts'
import { Bytes } from '../../http/body.ts'
import type { ServiceRequest } from '../../http/service-request.ts'
import { GatewayError } from '../../core/errors.ts'
import { Headers } from '../../http/headers.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { jwt } from './jwt.ts'

type Written = Parameters<typeof jwt.options.parse>[0]

/** A user service whose answers the test decides. */
function userService(answer: () => unknown = () => ({ active: true })) {
  const requests: ServiceRequest[] = []
  const callService = async (_name: string, request: ServiceRequest) => {
    requests.push(request)
    const output = await answer()
    const [status, text] = typeof output === 'number' ? [output, ''] : [200, JSON.stringify(output)]
    return { status, headers: Headers.of(), body: Bytes.fromText(text) }
  }
  return { asked: requests, callService }
}

function setUp(options: Written, users = userService()) {
  const clock = new ManualClock()
  const output = createMemoryLogger('debug', clock)
  const toolbox = makeToolbox({ clock, log: output.log, callService: users.callService })
  const authenticator = jwt.create(jwt.options.parse(options), toolbox)
  return {
    clock,
    output,
    asked: users.asked,
    /** Synchronous where it can be. */
    ask: (token: string) =>
      authenticator.authenticate(makeExchange({ headers: Headers.of([['Authorization', `Bearer ${token}`]]) })),
    consumer: async (token: string) => {
      const headers = Headers.of([['Authorization', `Bearer ${token}`]])
      return (await authenticator.authenticate(makeExchange({ headers })))?.consumer
    },
    authenticator,
  }
}

const checked = { secret: SECRET, introspection: { service: 'users', path: '/introspect' } }

const unavailable = (error: unknown) => error instanceof GatewayError && error.code === 'service-unavailable'

test('a token that is not a JWT is left to other methods', () => {
  const { ask } = setUp({ secret: SECRET })
  for (const token of ['opaque', 'a.b', 'a.b.c.d.e', 'a.b.c=', 'a b.c.d']) assert.equal(ask(token), null, token)
})

test('a token is verified once, and rejected when it has expired', async () => {
  const { ask, clock } = setUp({ secret: SECRET })
  const token = tokenOf({ claims: { exp: NOW + 60 } })
  assert.ok(ask(token) instanceof Promise)
  await ask(token)
  clock.advance(59_999)
  assert.ok(!(ask(token) instanceof Promise))
  clock.advance(5_001)
  await assert.rejects(async () => ask(token), { reason: 'expired' })
})

test('a cookie is used if there is no Authorization header', async () => {
  const { authenticator } = setUp({ secret: SECRET, cookie: 'session' })
  const token = tokenOf()
  const inCookie = makeExchange({ headers: Headers.of([['Cookie', `a=1; session=${token}`]]) })
  assert.equal((await authenticator.authenticate(inCookie))?.consumer?.id, 'alice')
  authenticator.conceal(inCookie)
  assert.deepEqual([...inCookie.headers], [['Cookie', 'a=1']])
  const inBoth = makeExchange({
    headers: Headers.of([
      ['Cookie', `session=${token}`],
      ['Authorization', `Bearer ${tokenOf({ claims: { sub: 'bob' } })}`],
    ]),
  })
  assert.equal((await authenticator.authenticate(inBoth))?.consumer?.id, 'bob')
})

test('tokens signed by removed keys are dropped from the cache', async (t) => {
  const server = await startKeyServer(t, [jwkOf(pairs.rsa.publicKey, { kid: 'first' })])
  const { ask, clock } = setUp({ jwks: `${server.url}/keys`, algorithms: ['RS256'] })
  const old = tokenOf({ algorithm: 'RS256', key: pairs.rsa.privateKey, header: { kid: 'first' } })
  const fresh = tokenOf({ algorithm: 'RS256', key: pairs.otherRsa.privateKey, header: { kid: 'second' } })
  await ask(old)
  assert.ok(!(ask(old) instanceof Promise))
  server.keys = [jwkOf(pairs.otherRsa.publicKey, { kid: 'second' })]
  clock.advance(10_000)
  assert.equal((await ask(fresh))?.consumer?.id, 'alice')
  await assert.rejects(async () => ask(old), { reason: 'unknown-key' })
})

test('a token signed with the public key as a secret is rejected', async (t) => {
  const server = await startKeyServer(t, [jwkOf(pairs.rsa.publicKey, { kid: 'first' })])
  const { ask } = setUp({ jwks: `${server.url}/keys`, secret: SECRET, algorithms: ['RS256', 'HS256'] })
  const pem = pemOf(pairs.rsa.publicKey)
  await assert.rejects(async () => ask(tokenOf({ key: pem, header: { kid: 'first' } })), { reason: 'signature' })
  assert.equal((await ask(tokenOf()))?.consumer?.id, 'alice')
})

test('introspection requests follow RFC 7662', async () => {
  const { consumer, asked } = setUp({
    secret: SECRET,
    introspection: {
      service: 'users',
      path: '/introspect?a=1',
      timeout: '1s',
      credentials: { id: 'gate way', secret: 'p:w' },
    },
  })
  const token = tokenOf()
  assert.equal((await consumer(token))?.id, 'alice')
  const [request] = asked
  assert.ok(request !== undefined)
  assert.deepEqual([request.method, request.target, request.timeout], ['POST', '/introspect?a=1', 1000])
  assert.equal(request.headers.get('Content-Type'), 'application/x-www-form-urlencoded')
  assert.equal(request.headers.get('Authorization'), `Basic ${btoa('gate+way:p%3Aw')}`)
  const form = Object.fromEntries(new URLSearchParams(request.body?.toText()))
  assert.deepEqual(form, { token, token_type_hint: 'access_token' })
})

test('claims from introspection override those of the token', async () => {
  const users = userService(() => ({ active: true, sub: 'alice', roles: ['demoted'] }))
  const { consumer } = setUp(checked, users)
  assert.deepEqual((await consumer(tokenOf({ claims: { roles: ['admin'] } })))?.roles, ['demoted'])
})

test('a token with an invalid signature is not introspected', async () => {
  const { consumer, asked } = setUp(checked)
  await assert.rejects(consumer(tokenOf({ key: 'another secret that is long enough' })), { reason: 'signature' })
  assert.equal(asked.length, 0)
})

test('simultaneous requests with one token cause one introspection, valid for half a minute', async () => {
  const { ask, consumer, asked, clock } = setUp(checked)
  const token = tokenOf()
  await Promise.all(Array.from({ length: 100 }, () => consumer(token)))
  assert.equal(asked.length, 1)
  clock.advance(29_999)
  assert.ok(!(ask(token) instanceof Promise))
  clock.advance(1)
  await ask(token)
  assert.equal(asked.length, 2)
})

test('a revoked token is rejected, and not introspected again for half a minute', async () => {
  let active = false
  const { consumer, asked, clock } = setUp(
    checked,
    userService(() => ({ active })),
  )
  const token = tokenOf()
  for (let i = 0; i < 10; i++) await assert.rejects(consumer(token), { reason: 'inactive' })
  assert.equal(asked.length, 1)
  active = true
  clock.advance(30_000)
  assert.equal((await consumer(token))?.id, 'alice')
})

test('a token that introspection reports as another user’s or expired is rejected', async () => {
  const other = setUp(
    checked,
    userService(() => ({ active: true, sub: 'bob' })),
  )
  await assert.rejects(other.consumer(tokenOf()), { reason: 'subject' })
  const over = setUp(
    checked,
    userService(() => ({ active: true, exp: NOW })),
  )
  await assert.rejects(over.consumer(tokenOf()), { reason: 'inactive' })
})

test('a token ends at the expiry given by introspection if that is earlier', async () => {
  const { ask, asked, clock } = setUp(
    checked,
    userService(() => ({ active: true, exp: NOW + 10 })),
  )
  await ask(tokenOf())
  clock.advance(10_000)
  await assert.rejects(async () => ask(tokenOf()), { reason: 'inactive' })
  assert.equal(asked.length, 2)
})

const noAnswers: Readonly<Record<string, () => unknown>> = {
  'that fails': () => Promise.reject(new GatewayError('gateway-timeout')),
  'with status 401': () => 401,
  'with status 500': () => 500,
  'without active': () => ({ sub: 'alice' }),
  'with active as text': () => ({ active: 'true' }),
  'that is not a map': () => [true],
}
for (const [what, answer] of Object.entries(noAnswers)) {
  test(`an answer ${what} causes 503 by default, for this request only, and is logged once`, async () => {
    let works = false
    const { consumer, output, clock } = setUp(
      checked,
      userService(() => (works ? { active: true } : answer())),
    )
    await assert.rejects(consumer(tokenOf()), unavailable)
    await assert.rejects(consumer(tokenOf()), unavailable)
    works = true
    clock.advance(10_000)
    assert.equal((await consumer(tokenOf()))?.id, 'alice')
    assert.deepEqual(
      output.lines.map(({ level, message }) => [level, message]),
      [
        ['warn', 'Tokens cannot be introspected'],
        ['info', 'Tokens can be introspected again'],
      ],
    )
    assert.doesNotMatch(JSON.stringify(output.lines), /eyJ/)
  })

  test(`an answer ${what} is ignored if onUnreachable allows it, and introspection is retried after five seconds`, async () => {
    const options = { ...checked, introspection: { ...checked.introspection, onUnreachable: 'accept' as const } }
    let works = false
    const { ask, asked, consumer, clock } = setUp(
      options,
      userService(() => (works ? { active: false } : answer())),
    )
    const token = tokenOf()
    assert.equal((await consumer(token))?.id, 'alice')
    clock.advance(4999)
    assert.ok(!(ask(token) instanceof Promise))
    assert.equal(asked.length, 1)
    works = true
    clock.advance(1)
    await assert.rejects(consumer(token), { reason: 'inactive' })
    await assert.rejects(consumer(tokenOf({ key: 'another secret that is long enough' })), { reason: 'signature' })
  })
}
