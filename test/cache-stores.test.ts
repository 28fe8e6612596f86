import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Bytes } from '../src/http/body.ts'
import type { CacheStore, CacheEntry } from '../src/policies/cache/store.ts'
import { Headers } from '../src/http/headers.ts'
import { CacheStores } from '../src/policies/cache/cache-stores.ts'
import type { RedisPlace } from '../src/redis/client.ts'
import { cacheContract } from './support/cache-contract.ts'
import { makeCacheEntry } from './support/cache-entry.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { memoryStores } from './support/memory-stores.ts'
import { TIMEOUT } from './support/timeout.ts'
import { storeTools } from './support/store-tools.ts'
import { TestCounter } from './support/test-counter.ts'
import { openRedis } from './support/redis-connection.ts'
import { connectTo, type RedisServer, startCluster, startRedis, until } from './support/redis.ts'

/** A store on a Redis like that of each thread; the clock is stopped, so nothing times out by itself. */
async function connect(t: TestContext, place: RedisPlace, clock = new ManualClock()) {
  const { connection, log, lines } = openRedis(t, { place, tls: false, timeout: TIMEOUT }, clock)
  await until('Redis', () => connection.client.status === 'ready')
  const store = new CacheStores(storeTools({ redis: connection, clock, log })).make(
    'redis',
    1_000_000,
    new TestCounter(),
  )
  return { store, clock, lines, connection }
}

/** The stores of two threads on the same Redis, which is flushed first. */
async function open(t: TestContext, place: RedisPlace, servers: readonly RedisServer[]) {
  await Promise.all(servers.map((server) => connectTo(t, server).flushall()))
  const { store, clock } = await connect(t, place)
  const { store: other } = await connect(t, place, clock)
  return { store, other, clock }
}

cacheContract('memory', () =>
  Promise.resolve(() => {
    const clock = new ManualClock()
    const [store, other] = memoryStores(2, 10_000_000, { clock }).stores
    return Promise.resolve({ store: store!, other: other!, clock })
  }),
)

cacheContract('Redis', async (t) => {
  const server = await startRedis(t)
  return (inner) => open(inner, server, [server])
})

cacheContract('Redis Cluster', async (t) => {
  const servers = await startCluster(t)
  const cluster = servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  return (inner) => open(inner, { cluster }, servers)
})

const ASKED = Headers.of()

/** An entry as Redis and another thread hold it. */
async function stored(t: TestContext, parts: Partial<CacheEntry> = {}) {
  const server = await startRedis(t)
  const redis = connectTo(t, server)
  const first = await connect(t, server)
  const second = await connect(t, server, first.clock)
  return { server, redis, first, second, clock: first.clock, entry: makeCacheEntry(parts) }
}

for (const [what, parts, seconds] of [
  ['freshness', {}, 60],
  ['the time that it may be served stale', { staleWhileRevalidate: 5_000, staleIfError: 30_000 }, 90],
  ['an hour for revalidation, if it has a validator', { etag: '"1"', staleIfError: 30_000 }, 3660],
] as const)
  test(`Redis: an entry expires after ${what}, with everything that belongs to it`, async (t) => {
    const { redis, first, entry } = await stored(t, { ...parts, groups: ['h g'] })
    await first.store.put('k', entry, 0)
    const keys = await redis.keys('*')
    assert.equal(keys.length, 4)
    for (const key of keys) {
      const left = await redis.pttl(key)
      assert.ok(left > 0 && left <= seconds * 1000, `${key}: ${left}`)
    }
    first.clock.advance(seconds * 1000)
    assert.equal(await first.store.find('h/a', 'k', ASKED), 'uri-miss')
  })

test('Redis: an expired reply is not stored', async (t) => {
  const { redis, first, entry } = await stored(t, { born: -60_000 })
  await first.store.put('k', entry, 0)
  assert.deepEqual(await redis.keys('*'), [])
})

test('Redis: an entry with an incomplete body is a miss', async (t) => {
  const { redis, first, second, entry } = await stored(t, { body: Bytes.fromBuffer(Buffer.alloc(150_000, 'b')) })
  await first.store.put('k', entry, 0)
  const [key] = await redis.keys('*:entry:*')
  assert.deepEqual((await redis.hkeys(key!)).toSorted(), ['0', '1', '2', 'head'])
  await redis.hdel(key!, '1')
  assert.equal(await second.store.find('h/a', 'k', ASKED), 'uri-miss')
})

test('Redis: a copy in memory is used as long as Redis has the entry', async (t) => {
  const { redis, first, second, entry } = await stored(t)
  await first.store.put('k', entry, 0)
  await second.store.find('h/a', 'k', ASKED)
  await redis.del(...(await redis.keys('*:entry:*')))
  assert.deepEqual(second.store.usage(), { entries: 1, bytes: 1_000 })
  assert.notEqual(await second.store.find('h/a', 'k', ASKED), 'uri-miss')
  await first.store.invalidate('h/a')
  assert.equal(await second.store.find('h/a', 'k', ASKED), 'uri-miss')
})

for (const [what, invalidate] of [
  ['URL', (store: CacheStore) => store.invalidate('h/a')],
  ['group', (store: CacheStore) => store.invalidateGroup('h g')],
  ['prefix', (store: CacheStore) => store.invalidatePrefix('h/')],
] as const)
  test(`Redis: a reply in transit while another process invalidates its ${what} is not stored`, async (t) => {
    const { first, second, clock, entry } = await stored(t, { groups: ['h g'], lifetime: 300_000 })
    await invalidate(second.store)
    // The request was sent ten seconds ago, on this clock and on that of Redis, which keeps running.
    clock.advance(10_000)
    await first.store.put('k', entry, 0)
    assert.equal(await first.store.find('h/a', 'k', ASKED), 'uri-miss')
    await first.store.put('k', entry, clock.now())
    assert.notEqual(await first.store.find('h/a', 'k', ASKED), 'uri-miss')
    // Invalidations are not remembered for that long.
    clock.advance(130_000)
    await first.store.put('late', entry, 0)
    assert.equal(await first.store.find('h/a', 'late', ASKED), 'uri-miss')
  })

test('Redis: during an outage there are only misses, and entries invalidated meanwhile stay invalid', async (t) => {
  const { server, first, second, clock, entry } = await stored(t)
  await first.store.put('k', entry, 0)
  await server.kill()
  await until('the connection to end', () => first.connection.client.status !== 'ready')
  assert.equal(await first.store.find('h/a', 'k', ASKED), 'uri-miss')
  assert.equal(await first.store.invalidate('h/a'), 0)
  await first.store.put('k', entry, clock.now())
  assert.equal(first.lines.filter(({ level }) => level === 'warn' || level === 'WARN').length, 1)
  await server.start()
  const usable = ({ connection }: typeof first) => connection.client.status === 'ready' && !connection.server.down
  await until('the outage to end', () => usable(first) && usable(second))
  // As after an outage without data loss.
  await second.store.put('k', entry, clock.now())
  await until('the entry to be invalidated', async () => {
    clock.advance(500)
    return (await second.store.find('h/a', 'k', ASKED)) === 'uri-miss'
  })
  await until('the first store to use Redis again', async () => {
    await first.store.put('k', makeCacheEntry({ born: clock.now() }), clock.now())
    return (await first.store.find('h/a', 'k', ASKED)) !== 'uri-miss'
  })
})

test('Redis: out of memory, entries can be read, the failure is logged once, and writes resume once there is memory', async (t) => {
  const { redis, first, clock, entry } = await stored(t)
  await redis.config('SET', 'maxmemory', '1')
  await first.store.put('k', entry, 0)
  await first.store.put('l', entry, 0)
  assert.equal(await first.store.find('h/a', 'k', ASKED), 'uri-miss')
  assert.equal(await first.store.invalidate('h/a'), 0)
  assert.equal(first.connection.server.down, false)
  assert.equal(first.lines.length, 1)
  await redis.config('SET', 'maxmemory', '0')
  clock.advance(100)
  await until('the refusals to end', () => !first.connection.use('cache').down)
  await first.store.put('k', entry, clock.now())
  assert.notEqual(await first.store.find('h/a', 'k', ASKED), 'uri-miss')
})
