import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import type { z } from 'zod'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { applyPolicy, makeToolbox } from '../../../test/support/policy.ts'
import { SECRET, tokenOf } from '../../../test/support/tokens.ts'
import { Bytes } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { auth } from './policy.ts'

const MINUTE = 60_000
const KEY = 'the-key'

type Options = Partial<z.input<typeof auth.options>>

function setUp(options: Options = {}, says = 200) {
  const clock = new ManualClock()
  let requests = 0
  const toolbox = makeToolbox({
    clock,
    callService: () => {
      requests++
      return Promise.resolve({ status: 200, headers: Headers.of(), body: Bytes.fromText('{"active":false}') })
    },
    apiKeys: {
      find: () => {
        requests++
        return Promise.resolve(null)
      },
    },
  })
  const methods = { jwt: { secret: SECRET }, 'api-key': { keys: [{ id: 'ci', sha256: hash('sha256', KEY) }] } }
  const next = () => new Reply(says, Headers.of(), null)
  const handle = applyPolicy(auth, { methods, failures: '3/m', ...options }, next, toolbox)
  async function ask(fields: Record<string, string>, address = '192.0.2.1', path = '/api/v1/users/7') {
    const client = {
      address,
      scheme: 'http',
      host: null,
      claims: '',
      proxied: false,
      certificate: null,
      hops: [],
      peerCertificate: null,
      forwardingFields: () => '',
    } as const
    try {
      return (await handle(makeExchange({ headers: Headers.of(Object.entries(fields)), client, path }))).status
    } catch (error) {
      assert.ok(error instanceof GatewayError)
      return error.status
    }
  }
  return { clock, ask, asked: () => requests }
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })
let made = 0
const forged = () => bearer(`${tokenOf({ claims: { jti: String(made++) } })}x`)

test('an address with too many invalid tokens gets 429 instead of 401 until the window ends', async () => {
  const { clock, ask } = setUp()
  for (const status of [401, 401, 401, 429, 429]) assert.equal(await ask(forged()), status)
  clock.advance(MINUTE)
  assert.equal(await ask(forged()), 401)
})

test('other addresses, and requests without credentials, are not affected', async () => {
  const { ask } = setUp()
  for (let i = 0; i < 5; i++) await ask(forged())
  assert.equal(await ask(forged(), '192.0.2.2'), 401)
  assert.equal(await ask(bearer(tokenOf({})), '192.0.2.2'), 200)
  for (let i = 0; i < 10; i++) assert.equal(await ask({}), 401)
})

test('a cached token still works at an address with too many failures, and a new one is 429', async () => {
  const { clock, ask } = setUp()
  const known = bearer(tokenOf({ claims: { jti: 'known' } }))
  assert.equal(await ask(known), 200)
  for (let i = 0; i < 5; i++) await ask(forged())
  const fresh = bearer(tokenOf({ claims: { jti: 'fresh' } }))
  assert.deepEqual([await ask(known), await ask(fresh)], [200, 429])
  clock.advance(MINUTE)
  assert.equal(await ask(fresh), 200)
})

test('tokens from an address with too many failures are not introspected', async () => {
  const { ask, asked } = setUp({ methods: { introspection: { service: 'users', path: '/introspect' } } })
  for (let i = 0; i < 3; i++) assert.equal(await ask(bearer(`opaque-${i}`)), 401)
  assert.equal(await ask(bearer('opaque-3')), 429)
  assert.equal(asked(), 3)
  assert.equal(await ask(bearer('opaque-3'), '192.0.2.2'), 401)
  assert.equal(asked(), 4)
})

test('invalid API keys count too, and the right one still works', async () => {
  const { ask } = setUp()
  for (const status of [401, 401, 401, 429]) assert.equal(await ask({ 'X-API-Key': 'guess' }), status)
  assert.equal(await ask({ 'X-API-Key': KEY }), 200)
  assert.equal(await ask(forged()), 429)
})

test('keys from an address with too many failures are not looked up in Redis', async () => {
  const { ask, asked } = setUp({ methods: { 'api-key': { store: 'redis' } } })
  for (let i = 0; i < 3; i++) assert.equal(await ask({ 'X-API-Key': `guess-${i}` }), 401)
  for (let i = 3; i < 9; i++) assert.equal(await ask({ 'X-API-Key': `guess-${i}` }), 429)
  assert.equal(asked(), 3)
  assert.equal(await ask({ 'X-API-Key': 'guess-3' }, '192.0.2.2'), 401)
  assert.equal(asked(), 4)
})

test('a public path stays open to an address with too many failures', async () => {
  const { ask } = setUp({ public: ['/login'] })
  for (let i = 0; i < 5; i++) await ask(forged())
  assert.equal(await ask(forged(), '192.0.2.1', '/login'), 200)
})

test('failures: false turns the limit off', async () => {
  const { ask } = setUp({ failures: false })
  for (let i = 0; i < 100; i++) assert.equal(await ask(forged()), 401)
})

test('failures: false creates no limit that the admin API would list', () => {
  const noMeter = () => assert.fail('a meter was requested')
  const limits = { meter: noMeter, localMeter: noMeter, watch: noMeter }
  const options = { methods: { jwt: { secret: SECRET } }, failures: false } as const
  applyPolicy(auth, options, () => new Reply(200, Headers.of(), null), makeToolbox({ limits }))
})

const refusing: readonly [string, number, Options, Record<string, string>, readonly number[]][] = [
  ['a service that replies 401', 401, {}, bearer(tokenOf({})), [401, 401, 429]],
  ['a service that replies 403', 403, {}, bearer(tokenOf({})), [403, 403, 429]],
  ['a missing role', 200, { require: { roles: ['admin'] } }, bearer(tokenOf({})), [403, 403, 429]],
  ['missing credentials', 200, {}, {}, [401, 401, 429]],
  ['a public login', 401, { public: ['/*'] }, {}, [401, 401, 429]],
  ['other replies', 404, {}, bearer(tokenOf({})), [404, 404, 404]],
]
for (const [what, says, options, fields, statuses] of refusing)
  test(`with a limit on refusals, ${what} ends in ${statuses.at(-1)}, for this address only`, async () => {
    const { clock, ask } = setUp({ refusals: '2/m', failures: false, ...options }, says)
    for (const status of statuses) assert.equal(await ask(fields), status)
    assert.equal(await ask(fields, '192.0.2.2'), statuses[0])
    clock.advance(MINUTE)
    assert.equal(await ask(fields), statuses[0])
  })

/** A login with a limit of two refusals, whose service holds its replies back. */
function startLogin() {
  const held: ((status: number) => void)[] = []
  const clock = new ManualClock()
  const options = { methods: { jwt: { secret: SECRET } }, public: ['/*'], refusals: '2/m' as const }
  const handle = applyPolicy(
    auth,
    options,
    () => new Promise((resolve) => void held.push((status) => resolve(new Reply(status, Headers.of(), null)))),
    makeToolbox({ clock }),
  )
  const ask = async (exchange = makeExchange()): Promise<string> => {
    try {
      return String((await handle(exchange)).status)
    } catch (error) {
      return error instanceof GatewayError ? error.code : String(error)
    }
  }
  /** Replies to all requests that have arrived at the service; the number of them. */
  const reply = async (status: number): Promise<number> => {
    const arrived = held.splice(0)
    for (const answer of arrived) answer(status)
    await setImmediate()
    return arrived.length
  }
  return { ask, reply, clock }
}

test('guesses that are sent at once get no more refusals than the limit', async () => {
  const { ask, reply } = startLogin()
  const burst = Array.from({ length: 20 }, () => ask())
  assert.deepEqual([await reply(401), await reply(401)], [2, 0])
  assert.deepEqual(await Promise.all(burst), ['401', '401', ...Array<string>(18).fill('rate-limited')])
})

test('right passwords that are sent at once all get in, one after the other if only one more refusal is allowed', async () => {
  const { ask, reply } = startLogin()
  const all = Array.from({ length: 5 }, () => ask())
  assert.deepEqual([await reply(200), await reply(200), await reply(200)], [2, 2, 1])
  const wrong = ask()
  assert.equal(await reply(401), 1)
  assert.equal(await wrong, '401')
  all.push(ask(), ask())
  assert.deepEqual([await reply(200), await reply(200)], [1, 1])
  assert.deepEqual(new Set(await Promise.all(all)), new Set(['200']))
})

test('a client that leaves while it waits no longer does, and others do not wait for it', async () => {
  const { ask, reply } = startLogin()
  const first = [ask(), ask()]
  const exchange = makeExchange()
  const leaving = ask(exchange)
  const last = ask()
  exchange.waiter?.abort()
  assert.equal(await leaving, 'client-closed')
  assert.deepEqual([await reply(200), await reply(200)], [2, 1])
  assert.deepEqual(await Promise.all([...first, last]), ['200', '200', '200'])
})

test('a request waits for its turn for ten seconds at most', async () => {
  const { ask, reply, clock } = startLogin()
  const first = [ask(), ask()]
  const late = ask()
  clock.advance(10_000)
  assert.equal(await late, 'too-busy')
  assert.deepEqual([await reply(200), await reply(200)], [2, 0])
  assert.deepEqual(await Promise.all(first), ['200', '200'])
})

test('by default refusals are not limited', async () => {
  const { ask } = setUp({}, 403)
  for (let i = 0; i < 100; i++) assert.equal(await ask(bearer(tokenOf({}))), 403)
})
