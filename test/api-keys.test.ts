import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { StoredApiKey } from '../src/policies/auth/api-key/api-key-store.ts'
import { newApiKey } from '../src/policies/auth/api-key/new-api-key.ts'
import { HASH, parseApiKey, RedisApiKeys } from '../src/policies/auth/api-key/redis/redis-api-keys.ts'
import { connectRedis, type RedisPlace } from '../src/redis/client.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import type { Duration } from '../src/gateway.ts'
import { startGateway } from './support/gateway.ts'
import { connectTo, startCluster, startRedis, until } from './support/redis.ts'

/** The keys of a Redis, as the command line sees them. */
async function open(t: TestContext, place: RedisPlace): Promise<RedisApiKeys> {
  const client = connectRedis({ place, tls: false, timeout: 50 })
  cleanUp(t, () => client.disconnect())
  await until('Redis', () => client.status === 'ready')
  return new RedisApiKeys(client)
}

/** Stores a key whatever other keys there are. */
async function store(keys: RedisApiKeys, key: StoredApiKey): Promise<void> {
  assert.equal(await keys.claim(key.id, 'test'), true)
  assert.equal(await keys.add(key, 'test'), true)
  await keys.release(key.id, 'test')
}

function makeKey(id: string, parts: Partial<StoredApiKey> = {}) {
  const { secret, prefix, sha256 } = newApiKey()
  const rest = { owner: 'alice', tier: 'gold', roles: ['reader', 'writer'], created: 1_700_000_000_000, expires: null }
  return { secret, key: { id, sha256, prefix, ...rest, ...parts } }
}

const places: Readonly<Record<string, (t: TestContext) => Promise<RedisPlace>>> = {
  'a Redis': async (t) => ({ url: (await startRedis(t)).url }),
  'a Cluster': async (t) => ({
    cluster: (await startCluster(t)).map(({ port }) => ({ host: '127.0.0.1', port })),
  }),
}

for (const [what, start] of Object.entries(places))
  test(`${what} stores keys by digest, lists them by id and removes them`, async (t) => {
    const keys = await open(t, await start(t))
    assert.deepEqual(await keys.list(), [])
    const all = Array.from({ length: 600 }, (_, i) => makeKey(`key-${String(i).padStart(3, '0')}`).key)
    for (const key of all.toReversed()) await store(keys, key)
    for (const key of [all[0]!, all[599]!])
      assert.deepEqual(parseApiKey(key.sha256, (await keys.read(key.sha256)) ?? ''), key)
    assert.deepEqual(await keys.list(), all)
    assert.equal(await keys.remove([all[7]!]), 1)
    assert.equal(await keys.remove([all[7]!]), 0)
    assert.equal(await keys.read(all[7]!.sha256), null)
    assert.equal((await keys.list()).length, 599)
  })

test('Redis holds neither the key nor anything it could be derived from', async (t) => {
  const server = await startRedis(t)
  const keys = await open(t, server)
  const { secret, key } = makeKey('ci')
  await store(keys, key)
  const redis = connectTo(t, server)
  assert.deepEqual(await redis.keys('*'), [HASH])
  const [field, text] = Object.entries(await redis.hgetall(HASH))[0]!
  assert.equal(field, key.sha256)
  assert.ok(!text.includes(secret.slice(key.prefix.length)))
})

test('an entry under the wrong digest, or that is not a key, is ignored', async (t) => {
  const server = await startRedis(t)
  const keys = await open(t, server)
  const [one, other] = [makeKey('one').key, makeKey('other').key]
  const redis = connectTo(t, server)
  // A value that is no valid date would make the list of keys fail.
  const wrong = [{ ...one, roles: 'admin' }, { ...one, created: 1e300 }, { ...one, expires: -1 }, other]
  for (const text of ['', 'null', '{}', ...wrong.map((each) => JSON.stringify(each))])
    assert.equal(parseApiKey(one.sha256, text), null)
  await redis.hset(HASH, one.sha256, JSON.stringify(other), 'short', JSON.stringify(one))
  assert.deepEqual(await keys.list(), [])
})

/** A gateway that requires an API key from that Redis, and the reply to a request with a key. */
async function startWithKeys(t: TestContext, redis: object, cache: Duration) {
  const started = await startGateway(t, {
    stores: { redis: { timeout: '400ms', ...redis } },
    policies: { auth: { methods: { 'api-key': { store: 'redis', cache } }, failures: false } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
  })
  const ask = (secret: string) => send(started.port, { headers: { 'X-API-Key': secret } })
  return { ...started, ask, status: async (secret: string) => (await ask(secret)).status }
}

for (const [what, start] of Object.entries(places))
  test(`a key in ${what} works from its creation until it is revoked, in every gateway`, async (t) => {
    const place = await start(t)
    const redis = 'cluster' in place ? { cluster: place.cluster.map(({ port }) => `127.0.0.1:${port}`) } : place
    const keys = await open(t, place)
    const { secret, key } = makeKey('ci')
    const expired = makeKey('old', { expires: Date.now() - 1 })
    for (const each of [key, expired.key]) await store(keys, each)
    const gateways = await Promise.all([startWithKeys(t, redis, '50ms'), startWithKeys(t, redis, '50ms')])
    for (const { status } of gateways) {
      assert.equal(await status(secret), 204)
      assert.equal(await status(expired.secret), 401)
      assert.equal(await status(makeKey('ci').secret), 401)
    }
    await keys.remove([key])
    for (const { status } of gateways) await until('the key to be rejected', async () => (await status(secret)) === 401)
    await store(keys, key)
    for (const { status } of gateways) await until('the key to be accepted', async () => (await status(secret)) === 204)
  })

test('while Redis hangs known keys still work and others get 503 at once, and all keys work again afterwards', async (t) => {
  const server = await startRedis(t)
  cleanUp(t, () => server.resume())
  const keys = await open(t, server)
  const [known, other] = [makeKey('known'), makeKey('other')]
  for (const { key } of [known, other]) await store(keys, key)
  const { ask, status, log } = await startWithKeys(t, { url: server.url }, '1h')
  assert.equal(await status(known.secret), 204)
  assert.equal(await status('unknown'), 401)
  server.pause()
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(other.secret)))
  for (const { status: code, headers, text } of replies) {
    assert.equal(code, 503)
    assert.equal(headers['retry-after'], '1')
    assert.equal((JSON.parse(text) as { type: string }).type, 'urn:sallyport:error:keys-unavailable')
  }
  assert.equal(await status(known.secret), 204)
  assert.equal(await status('unknown'), 401)
  for (let i = 0; i < 3; i++) assert.equal(await status('unknown too'), 503)
  server.resume()
  await until('the key to be found', async () => (await status(other.secret)) === 204)
  assert.equal(await status('unknown too'), 401)
  assert.equal(log.lines.filter(({ message }) => String(message).startsWith('Redis cannot be used')).length, 1)
})

test('while Redis is down unknown keys get 503, never 500', async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const { status } = await startWithKeys(t, { url: server.url }, '10s')
  for (let i = 0; i < 3; i++) assert.equal(await status('some-key'), 503)
  await server.start()
  await until('the key to be looked up', async () => (await status('some-key')) === 401)
})

test('an invalid entry in Redis is rejected and logged, and other keys still work', async (t) => {
  const server = await startRedis(t)
  const keys = await open(t, server)
  const [good, broken] = [makeKey('good'), makeKey('broken')]
  await store(keys, good.key)
  await connectTo(t, server).hset(HASH, broken.key.sha256, '{"id":1}')
  const { status, log } = await startWithKeys(t, { url: server.url }, '10s')
  for (let i = 0; i < 3; i++) assert.equal(await status(broken.secret), 401)
  assert.equal(await status(good.secret), 204)
  const lines = log.lines.filter(({ message }) =>
    String(message).startsWith('The data of an API key in Redis is not valid'),
  )
  assert.equal(lines.length, 1)
})

test('an id is claimed by one at a time, and only its key is stored', async (t) => {
  const server = await startRedis(t)
  const keys = await open(t, server)
  const { key } = makeKey('ci')
  assert.deepEqual([await keys.claim('ci', 'a'), await keys.claim('ci', 'b')], [true, false])
  assert.equal(await keys.add(key, 'b'), false)
  await keys.release('ci', 'b')
  assert.equal(await keys.claim('ci', 'b'), false)
  assert.equal(await keys.add(key, 'a'), true)
  const left = await connectTo(t, server).pttl('{sallyport:api-keys}:claim:ci')
  assert.ok(left > 0 && left <= 10_000)
  await keys.release('ci', 'a')
  assert.equal(await keys.claim('ci', 'b'), true)
  assert.deepEqual(await keys.list(), [key])
})
