import { MemoryMeter } from '../memory/memory-meter.ts'
import type { MeterStore } from '../meter.ts'
import { GuardedMeter } from './guarded-meter.ts'
import { RedisMeter } from './redis-meter.ts'

/** Counts in Redis, for all processes that use it. */
export const redisMeters = {
  name: 'redis',
  open({ redis, process, clock }) {
    if (redis === null) return null
    const use = redis.use('limits')
    return (limit, onStoreFailure) => {
      const local = new MemoryMeter(process.counts, clock, limit)
      return new GuardedMeter(new RedisMeter(redis.client, limit), local, use, onStoreFailure)
    }
  },
} as const satisfies MeterStore
