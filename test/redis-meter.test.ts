import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Redis } from 'ioredis'
import type { Algorithm, Limit } from '../src/policies/rate-limit/meter.ts'
import { connectRedis, type RedisClient, type RedisPlace } from '../src/redis/client.ts'
import { GuardedMeter } from '../src/policies/rate-limit/redis/guarded-meter.ts'
import { RedisMeter } from '../src/policies/rate-limit/redis/redis-meter.ts'
import { MemoryMeter } from '../src/policies/rate-limit/memory/memory-meter.ts'
import { SharedTable } from '../src/policies/rate-limit/memory/table.ts'
import { cleanUp } from './support/cleanup.ts'
import { limitContract } from './support/limit-contract.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { openRedis } from './support/redis-connection.ts'
import { connectTo, startCluster, startRedis, startSentinels, until } from './support/redis.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function connect(t: TestContext, place: RedisPlace): RedisClient {
  const client = connectRedis({ place, tls: false, timeout: 50 })
  cleanUp(t, () => client.disconnect())
  return client
}

function ready(client: RedisClient): Promise<void> {
  return until('Redis', () => client.status === 'ready')
}

/** Lets the time of a Redis pass for its keys, which expire by its own clock. */
async function age(redis: Redis, ms: number): Promise<void> {
  for (const key of await redis.keys('*')) {
    const left = await redis.pttl(key)
    if (left > ms) await redis.pexpire(key, left - ms)
    else if (left >= 0) await redis.del(key)
  }
}

/** Meters on a Redis with the time of the test. */
async function openStore(t: TestContext) {
  const server = await startRedis(t)
  const redis = connectTo(t, server)
  const client = connect(t, server)
  const clock = new ManualClock()
  await ready(client)
  return {
    meter: (limit: Limit) => new RedisMeter(client, limit, () => Math.floor(clock.wall() * 1000)),
    now: () => clock.now(),
    async advance(ms: number) {
      clock.advance(ms)
      await age(redis, ms)
    },
  }
}

limitContract('Redis', openStore, { runs: 40, step: MINUTE })

function makeLimit(algorithm: Algorithm, ...quotas: (readonly [limit: number, window: number])[]): Limit {
  return { name: 'tier', algorithm, quotas: quotas.map(([number, window]) => ({ limit: number, window })) }
}

test('one quota of a fixed window is a plain counter under the specified key, with a time to live', async (t) => {
  const server = await startRedis(t)
  const client = connect(t, server)
  await ready(client)
  const quotas = [{ limit: 1000, window: HOUR }]
  const meter = new RedisMeter(client, { name: 'authenticated', algorithm: 'fixed-window', quotas })
  for (let i = 0; i < 3; i++) await meter.decide('42', 1)
  const redis = connectTo(t, server)
  assert.deepEqual(await redis.keys('*'), ['rate_limit:42:authenticated'])
  assert.equal(await redis.get('rate_limit:42:authenticated'), '3')
  const left = await redis.pttl('rate_limit:42:authenticated')
  assert.ok(left > HOUR - MINUTE && left <= HOUR)
})

test('other algorithms and further quotas use separate keys', async (t) => {
  const server = await startRedis(t)
  const client = connect(t, server)
  await ready(client)
  for (const algorithm of ['fixed-window', 'sliding-window', 'token-bucket'] as const)
    for (const quotas of [
      [[5, HOUR]],
      [
        [5, HOUR],
        [5, MINUTE],
      ],
    ] as const)
      assert.equal((await new RedisMeter(client, makeLimit(algorithm, ...quotas)).decide('42', 1)).admitted, true)
  const redis = connectTo(t, server)
  assert.deepEqual((await redis.keys('*')).toSorted(), [
    'rate_limit:42:tier',
    'rate_limit:42:tier:sliding',
    'rate_limit:42:tier:tokens',
    'rate_limit:{42}:tier:3600',
    'rate_limit:{42}:tier:3600:sliding',
    'rate_limit:{42}:tier:3600:tokens',
    'rate_limit:{42}:tier:60',
    'rate_limit:{42}:tier:60:sliding',
    'rate_limit:{42}:tier:60:tokens',
  ])
  for (const key of await redis.keys('*')) assert.ok((await redis.pttl(key)) > 0, `${key} does not expire`)
})

test('a counter without a time to live gets one, and one that is too long is shortened', async (t) => {
  const server = await startRedis(t)
  const client = connect(t, server)
  await ready(client)
  const redis = connectTo(t, server)
  const meter = new RedisMeter(client, makeLimit('fixed-window', [2, MINUTE]))
  await redis.set('rate_limit:42:tier', '2')
  assert.equal((await meter.decide('42', 1)).admitted, false)
  assert.ok((await redis.pttl('rate_limit:42:tier')) > 0)
  await redis.pexpire('rate_limit:42:tier', 100 * HOUR)
  const { wait } = (await meter.decide('42', 1)).quotas[0]!
  assert.ok(wait > 0 && wait <= MINUTE)
})

for (const algorithm of ['sliding-window', 'token-bucket'] as const)
  test(`${algorithm}: a step of the Redis clock neither grants a quota twice nor blocks for long`, async (t) => {
    const server = await startRedis(t)
    const client = connect(t, server)
    await ready(client)
    const clock = new ManualClock()
    const meter = new RedisMeter(client, makeLimit(algorithm, [10, MINUTE]), () => Math.floor(clock.wall() * 1000))
    assert.equal((await meter.decide('42', 10)).admitted, true)
    clock.step(-24 * HOUR)
    const { admitted, quotas } = await meter.decide('42', 1)
    assert.equal(admitted, false)
    assert.ok(quotas[0]!.wait <= (MINUTE * 9) / 8, `has to wait ${quotas[0]!.wait} ms`)
    clock.advance((MINUTE * 9) / 8)
    assert.equal((await meter.decide('42', 10)).admitted, true)
    clock.step(48 * HOUR)
    assert.equal((await meter.decide('42', 10)).admitted, true)
    assert.equal((await meter.decide('42', 1)).admitted, false)
  })

test('a Redis that has lost the scripts gets them again', async (t) => {
  const server = await startRedis(t)
  const client = connect(t, server)
  await ready(client)
  const redis = connectTo(t, server)
  const meter = new RedisMeter(client, makeLimit('token-bucket', [100, HOUR]))
  for (let i = 0; i < 3; i++) {
    await redis.script('FLUSH', 'SYNC')
    const decisions = await Promise.all(Array.from({ length: 10 }, () => meter.decide('42', 1)))
    assert.ok(decisions.every(({ admitted }) => admitted))
  }
  assert.equal((await meter.decide('42', 0)).quotas[0]!.remaining, 70)
})

test('simultaneous decisions are sent to Redis in one batch, and each client gets its own', async (t) => {
  const server = await startRedis(t)
  const redis = connectTo(t, server)
  const clock = new ManualClock()
  const config = { place: server, tls: false, timeout: 1000 }
  const { connection } = openRedis(t, config, clock)
  const { client } = connection
  const limits = connection.use('limits')
  await ready(client)
  for (const algorithm of ['fixed-window', 'sliding-window', 'token-bucket'] as const) {
    const limit = makeLimit(algorithm, [4, HOUR], [3, MINUTE])
    const local = new MemoryMeter(SharedTable.create(64), clock, limit)
    const meter = new GuardedMeter(new RedisMeter(client, limit), local, limits, 'closed')
    await meter.decide('warm', 0)
    await redis.config('RESETSTAT')
    const decisions = await Promise.all(Array.from({ length: 200 }, async (_, i) => meter.decide(String(i % 50), 1)))
    const admitted = decisions.map((decision) => decision?.admitted)
    assert.deepEqual(
      admitted,
      admitted.map((_, i) => i < 150),
    )
    assert.deepEqual(
      decisions[120]?.quotas.map(({ remaining }) => remaining),
      [1, 0],
    )
    const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1])
    assert.equal(calls, 4)
  }
})

test('a Cluster decides several quotas of a client atomically, on whichever node', async (t) => {
  const servers = await startCluster(t)
  const client = connect(t, { cluster: servers.map(({ port }) => ({ host: '127.0.0.1', port })) })
  await ready(client)
  for (const algorithm of ['fixed-window', 'sliding-window', 'token-bucket'] as const) {
    const meter = new RedisMeter(client, makeLimit(algorithm, [3, MINUTE], [100, HOUR]))
    const clients = Array.from({ length: 50 }, (_, i) => String(i))
    const decisions = await Promise.all([1, 2, 3, 4].flatMap(() => clients.map((name) => meter.decide(name, 1))))
    assert.equal(decisions.filter(({ admitted }) => admitted).length, 150)
  }
  const sizes = await Promise.all(servers.map((server) => connectTo(t, server).dbsize()))
  assert.ok(
    sizes.every((size) => size > 0),
    sizes.join(' '),
  )
})

test('Sentinels name the master, and the new one after a failover', async (t) => {
  const { master, replica, sentinel } = await startSentinels(t)
  const client = connect(t, { sentinels: { master: 'main', nodes: [{ host: '127.0.0.1', port: sentinel.port }] } })
  await ready(client)
  const meter = new RedisMeter(client, makeLimit('fixed-window', [5, HOUR]))
  assert.equal((await meter.decide('42', 2)).quotas[0]!.remaining, 3)
  const copy = connectTo(t, replica)
  await until('the replica to catch up', async () => (await copy.get('rate_limit:42:tier')) === '2')
  await master.kill()
  let remaining = -1
  await until('the new master', async () => {
    const decision = await meter.decide('42', 0).catch(() => null)
    remaining = decision?.quotas[0]!.remaining ?? -1
    return decision !== null
  })
  assert.equal(remaining, 3)
  await until('a successful write', () =>
    meter.decide('42', 1).then(
      () => true,
      () => false,
    ),
  )
})
