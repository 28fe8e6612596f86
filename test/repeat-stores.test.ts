import { systemClock } from '../src/core/clock.ts'
import { TopicHandlers } from '../src/core/threads.ts'
import { MemoryRepeats } from '../src/policies/idempotency/memory/memory-repeats.ts'
import { answerThreads } from '../src/policies/idempotency/memory/answer-threads.ts'
import { memoryRepeats } from '../src/policies/idempotency/memory/memory-store.ts'
import { redisRepeats } from '../src/policies/idempotency/redis/redis-store.ts'
import { LEASE } from '../src/policies/idempotency/store.ts'
import { createMemoryLogger } from '../src/telemetry/memory-logger.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { openRedis } from './support/redis-connection.ts'
import { connectTo, startRedis } from './support/redis.ts'
import { repeatContract } from './support/repeat-contract.ts'
import { storeTools } from './support/store-tools.ts'

/** More than the time of a key. */
const LONG = 4_000_000

repeatContract('memory', 300, async () => {
  return () => {
    const clock = new ManualClock()
    const answers = new TopicHandlers(createMemoryLogger().log)
    answerThreads(answers, new MemoryRepeats(clock, 1_000_000))
    const store = memoryRepeats.open(storeTools({ clock, allThreads: answers }))({ add() {} })
    return { store, lapse: async () => clock.advance(LEASE), end: async () => clock.advance(LONG) }
  }
})

repeatContract('Redis', 60, async (t) => {
  const server = await startRedis(t)
  const redis = connectTo(t, server)
  const config = { place: { url: server.url }, tls: false, timeout: 10_000 }
  const { connection } = openRedis(t, config, systemClock)
  await connection.connected(10_000)
  const store = redisRepeats.open(storeTools({ redis: connection }))!({ add() {} })
  const lapse = async (): Promise<void> => {
    for (const key of await redis.keys('*:key:*'))
      if ((await redis.hget(key, 's')) === 'lock') await redis.hset(key, 'l', 1)
  }
  return () => ({ store, lapse, end: async () => void (await redis.flushall()) })
})
