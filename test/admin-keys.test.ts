/** API keys that operators create, rotate and revoke over the admin API, in a Redis that two gateways share. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import { keyList } from '../src/admin/keys/schemas.ts'
import { type Clock, systemClock } from '../src/core/clock.ts'
import type { GatewayInput } from '../src/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { type AdminAsk, requestAdmin, startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { connectTo, startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'
import { quickDigestOf } from './support/password.ts'

const TOKEN = 'token-of-the-operators'
const PASSWORD = 'a password of theirs'
const SECRET = /^sp_[0-9a-f]{8}_[\w-]{43}$/
const digest = quickDigestOf(PASSWORD)

/** A gateway that requires an API key. */
async function startGate(t: TestContext, apiKey: object, stores: GatewayInput['stores'], clock: Clock = systemClock) {
  const service = await startService(t)
  const users = [
    { name: 'vera', password: digest, role: 'viewer' },
    { name: 'otto', password: digest, role: 'operator' },
  ] as const
  const config: GatewayInput = {
    admin: { token: TOKEN, users: [...users] },
    services: { shop: { instances: [service.url], health: false } },
    policies: { auth: { methods: { 'api-key': apiKey }, failures: false } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'shop' }],
    stores,
  }
  const { port, adminPort, log } = await startAdminGateway(t, config, { clock })
  const ask = (path: string, { headers, ...what }: AdminAsk = {}) =>
    requestAdmin(adminPort, path, { ...what, headers: { Authorization: `Bearer ${TOKEN}`, ...headers } })
  const statusOf = async (secret: string) => (await send(port, { headers: { 'X-API-Key': secret } })).status
  const listed = async () => keyList.parse((await ask('/keys')).json)
  const logIn = async (name: string) => {
    const { headers } = await requestAdmin(adminPort, '/login', { method: 'POST', json: { name, password: PASSWORD } })
    const cookie = String(headers['set-cookie']).split(';', 1)[0]!
    return (path: string, what: AdminAsk = {}) =>
      requestAdmin(adminPort, path, { ...what, headers: { Cookie: cookie } })
  }
  return { ask, statusOf, listed, logIn, service, log }
}

/** Two gateways that share a Redis and cache its answers for an hour: changes still apply at once. */
async function startTwo(t: TestContext, clock?: Clock) {
  const redis = await startRedis(t)
  const stores = { redis: { url: redis.url, timeout: '5s' } } as const
  const [a, b] = [
    await startGate(t, { store: 'redis', cache: '1h' }, stores, clock),
    await startGate(t, { store: 'redis', cache: '1h' }, stores, clock),
  ]
  const observer = connectTo(t, redis)
  await until('both gateways to subscribe', async () => {
    const [, count] = (await observer.pubsub('NUMSUB', 'sallyport:operations:0')) as [string, number]
    return count === 2
  })
  const everywhere = async (secret: string) => [await a.statusOf(secret), await b.statusOf(secret)]
  return { observer, a, b, everywhere }
}

const ALL = [200, 200]
const NONE = [401, 401]

test('a key is created, rotated with an overlap and revoked in all gateways at once', async (t) => {
  const { observer, a, b, everywhere } = await startTwo(t)
  const json = { id: 'partner', owner: 'alice', tier: 'gold', roles: ['a', 'b'], expires: '90d' }
  const made = await a.ask('/keys', { method: 'POST', json })
  assert.equal(made.status, 201)
  assert.equal(made.headers['cache-control'], 'no-store')
  const first = String(made.json['key'])
  assert.match(first, SECRET)
  assert.deepEqual([made.json['done'], made.json['configuration']], [true, null])
  assert.deepEqual(await everywhere(first), ALL)
  const { 'x-user-id': user, 'x-user-roles': roles, 'x-consumer-tier': tier } = a.service.received[0]!.headers
  assert.deepEqual([user, roles, tier], ['alice', 'a,b', 'gold'])

  const rotated = await b.ask('/keys/partner/rotate', { method: 'POST', json: { overlap: '1h' } })
  assert.equal(rotated.status, 200)
  const second = String(rotated.json['key'])
  assert.notEqual(second, first)
  assert.equal((rotated.json['replicas'] as unknown[]).length, 2)
  assert.deepEqual([await everywhere(first), await everywhere(second)], [ALL, ALL])
  const { keys } = await a.listed()
  assert.deepEqual(
    keys.map(({ id, prefix, replaced }) => [id, prefix, replaced]),
    [
      ['partner', second.slice(0, 11), false],
      ['partner', first.slice(0, 11), true],
    ],
  )
  assert.equal(keys[0]!.expiresAt, made.json['expiresAt'])
  const left = Date.parse(keys[1]!.expiresAt!) - Date.now()
  assert.ok(left > 0 && left <= 3_600_000)
  assert.ok(keys.every(({ lastUsedAt }) => lastUsedAt !== null))

  const old = await a.ask(`/keys/partner?prefix=${first.slice(0, 11)}`, { method: 'DELETE' })
  assert.deepEqual(old.json['revoked'], [{ prefix: first.slice(0, 11) }])
  assert.deepEqual([await everywhere(first), await everywhere(second)], [NONE, ALL])
  assert.equal((await b.ask('/keys/partner', { method: 'DELETE' })).status, 200)
  assert.deepEqual(await everywhere(second), NONE)
  assert.deepEqual((await a.listed()).keys, [])
  assert.equal((await a.ask('/keys/partner', { method: 'DELETE' })).status, 404)

  // Each change is logged with its user; keys are neither in the log nor in Redis.
  const changes = [
    await a.log.line({ message: 'An operator has created an API key' }),
    await b.log.line({ message: 'An operator has rotated an API key' }),
    await a.log.line({ message: 'An operator has revoked an API key' }),
    await b.log.line({ message: 'An operator has revoked an API key' }),
  ]
  for (const { key, by } of changes) assert.deepEqual([key, by], ['partner', 'token'])
  const reported =
    JSON.stringify([a.log.lines, b.log.lines]) + JSON.stringify(await observer.hgetall('sallyport:api-keys'))
  for (const secret of [first, second]) assert.ok(!reported.includes(secret.slice(12)))
})

test('an old key works until its overlap ends, and without an overlap stops at once', async (t) => {
  const clock = new ManualClock(Date.now())
  const { a, everywhere } = await startTwo(t, clock)
  const secretOf = async (path: string, json: object): Promise<string> => {
    const { status, text, json: made } = await a.ask(path, { method: 'POST', json })
    assert.ok(status < 300, text)
    return String(made['key'])
  }
  const first = await secretOf('/keys', { id: 'ci' })
  assert.deepEqual(await everywhere(first), ALL)
  // The newest key of an id is rotated.
  clock.step(1)
  const second = await secretOf('/keys/ci/rotate', { overlap: '1h' })
  assert.deepEqual(await everywhere(first), ALL)
  clock.step(3_600_000)
  assert.deepEqual([await everywhere(first), await everywhere(second)], [NONE, ALL])
  const third = await secretOf('/keys/ci/rotate', { overlap: '0s', expires: '30d' })
  assert.deepEqual([await everywhere(second), await everywhere(third)], [NONE, ALL])
  const { keys } = await a.listed()
  // A key that had expired before the last rotation is gone.
  assert.deepEqual(
    keys.map(({ prefix }) => prefix),
    [third.slice(0, 11), second.slice(0, 11)],
  )
  assert.ok(Math.abs(Date.parse(keys[0]!.expiresAt!) - clock.wall() - 30 * 86_400_000) < 60_000)
})

test('while Redis is down keys cannot be changed, and keys of the configuration are still listed', async (t) => {
  const redis = await startRedis(t)
  const ci = { id: 'ci', sha256: hash('sha256', 'the-key'), prefix: 'the-' }
  const stores = { redis: { url: redis.url, timeout: '400ms' } } as const
  const clock = new ManualClock(Date.now())
  const { ask, listed, statusOf } = await startGate(t, { store: 'redis', cache: '1h', keys: [ci] }, stores, clock)
  const made = await ask('/keys', { method: 'POST', json: { id: 'partner' } })
  await redis.kill()
  const list = listed()
  const changes = [
    ask('/keys', { method: 'POST', json: { id: 'other' } }),
    ask('/keys/partner/rotate', { method: 'POST', json: {} }),
    ask('/keys/partner', { method: 'DELETE' }),
  ]
  let isAnswered = false
  void Promise.all([list, ...changes]).finally(() => (isAnswered = true))
  await until('the gateway to give up', () => {
    clock.advance(1000)
    return isAnswered
  })
  const { keys, redis: state } = await list
  assert.deepEqual(
    keys.map(({ id, prefix, store }) => [id, prefix, store]),
    [['ci', 'the-', 'configuration']],
  )
  assert.match(String(state?.problem), /^The Redis of stores\.redis cannot be used: .*ECONNREFUSED/)
  for (const { status, json: problem } of await Promise.all(changes)) {
    assert.equal(status, 503)
    assert.equal(problem['type'], 'urn:sallyport:error:keys-unavailable')
    assert.match(String(problem['detail']), /ECONNREFUSED/)
    assert.equal(problem['key'], undefined)
  }
  await redis.start()
  await until('the key to be unknown', async () => {
    clock.advance(1000)
    return (await statusOf(String(made.json['key']))) === 401
  })
  assert.deepEqual(
    (await listed()).keys.map(({ id }) => id),
    ['ci'],
  )
})

test('viewers cannot change keys, and operators can only revoke keys in Redis', async (t) => {
  const redis = await startRedis(t)
  const ci = { id: 'ci', sha256: hash('sha256', 'the-key') }
  const stores = { redis: { url: redis.url, timeout: '5s' } } as const
  const { ask, logIn, statusOf } = await startGate(t, { store: 'redis', keys: [ci] }, stores)
  const secret = String((await ask('/keys', { method: 'POST', json: { id: 'partner' } })).json['key'])
  const [vera, otto] = [await logIn('vera'), await logIn('otto')]
  assert.equal(((await vera('/keys')).json['keys'] as unknown[]).length, 2)
  const changes = [
    ['/keys', 'POST', { id: 'mine' }],
    ['/keys/partner/rotate', 'POST', {}],
    ['/keys/partner', 'DELETE', undefined],
  ] as const
  for (const [path, method, json] of changes) assert.equal((await vera(path, { method, json })).status, 403, path)
  for (const [path, method, json] of changes.slice(0, 2))
    assert.equal((await otto(path, { method, json })).status, 403, path)
  const written = await otto('/keys/ci', { method: 'DELETE' })
  assert.equal(written.status, 403)
  assert.match(String(written.json['detail']), /is in the configuration: changing it requires the role admin/)
  assert.deepEqual(await statusOf(secret), 200)
  assert.equal((await otto('/keys/partner', { method: 'DELETE' })).status, 200)
  assert.deepEqual(await statusOf(secret), 401)
})

test('a key in Redis can be revoked by its prefix even if the configuration has one with the same id', async (t) => {
  const redis = await startRedis(t)
  const ci = { id: 'ci', sha256: hash('sha256', 'the-key') }
  const stores = { redis: { url: redis.url, timeout: '5s' } } as const
  const before = await startGate(t, { store: 'redis' }, stores)
  const secret = String((await before.ask('/keys', { method: 'POST', json: { id: 'ci' } })).json['key'])
  const { logIn, statusOf } = await startGate(t, { store: 'redis', keys: [ci] }, stores)
  assert.deepEqual(await statusOf(secret), 200)
  const otto = await logIn('otto')
  assert.equal((await otto('/keys/ci', { method: 'DELETE' })).status, 403)
  const revoked = await otto(`/keys/ci?prefix=${secret.slice(0, 11)}`, { method: 'DELETE' })
  assert.partialDeepStrictEqual(revoked, { status: 200, json: { done: true } })
  assert.deepEqual([await statusOf(secret), await statusOf('the-key')], [401, 200])
})

test('invalid changes of keys are rejected with the reason', async (t) => {
  const redis = await startRedis(t)
  const ci = { id: 'ci', sha256: hash('sha256', 'the-key') }
  const ended = { id: 'ended', sha256: hash('sha256', 'ended'), expires: '2020-01-01' }
  const stores = { redis: { url: redis.url, timeout: '5s' } } as const
  const { ask } = await startGate(t, { store: 'redis', keys: [ci, ended] }, stores)
  assert.equal((await ask('/keys', { method: 'POST', json: { id: 'partner' } })).status, 201)
  for (const [path, json, status, why] of [
    ['/keys', { id: 'partner' }, 409, /There is an API key "partner" already/],
    ['/keys', { id: 'ci' }, 409, /The configuration has an API key "ci" already/],
    ['/keys', { id: 'a b' }, 400, /^id: expected 1 to 128 visible ASCII characters/],
    ['/keys', { id: '..' }, 400, /^id: expected 1 to 128 visible ASCII characters, and not "\." or "\.\."/],
    ['/keys', { id: 'a', owner: '\u001b[31m' }, 400, /^owner: expected visible characters/],
    ['/keys', { id: 'a', expires: '2020-01-01' }, 400, /^expires: expected a time such as "90d"/],
    ['/keys', { id: 'a', sha256: ci.sha256 }, 400, /sha256/],
    ['/keys/none/rotate', {}, 404, /There is no API key "none"/],
    ['/keys/ended/rotate', {}, 409, /"ended" has expired: revoke it, and create another one/],
    ['/keys/partner/rotate', { overlap: '400d' }, 400, /^overlap: expected a time from "0s" to "365d"/],
  ] as const) {
    const { status: got, json: problem } = await ask(path, { method: 'POST', json })
    assert.equal(got, status, JSON.stringify(json))
    assert.match(String(problem['detail']), why)
  }
})

test('of many keys that are created at once with one id, in two gateways, one is', async (t) => {
  const { a, b } = await startTwo(t)
  const create = (gate: typeof a) => gate.ask('/keys', { method: 'POST', json: { id: 'partner' } })
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => create(i % 2 === 0 ? a : b)))
  const made = answers.filter(({ status }) => status === 201)
  assert.equal(made.length, 1)
  assert.ok(answers.every((answer) => answer === made[0] || answer.status === 409))
  assert.deepEqual(
    (await b.listed()).keys.map(({ prefix }) => prefix),
    [made[0]!.json['prefix']],
  )
  assert.equal((await a.ask('/keys', { method: 'POST', json: { id: 'another' } })).status, 201)
})

test('all requests for keys share one connection to Redis', async (t) => {
  const { a, observer } = await startTwo(t)
  await a.listed()
  const connections = async () => Number(/total_connections_received:(\d+)/.exec(await observer.info('stats'))![1])
  const before = await connections()
  for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 8 }, () => a.listed()))
  assert.equal(await connections(), before)
})
