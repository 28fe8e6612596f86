import type { TestContext } from 'node:test'
import type { Clock } from '../../src/core/clock.ts'
import { followOutages } from '../../src/core/outage-log.ts'
import { TopicHandlers } from '../../src/core/threads.ts'
import type { RedisConfig } from '../../src/redis/client.ts'
import { RedisConnection } from '../../src/redis/connection.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { ThreadMetrics } from '../../src/telemetry/metrics/thread-metrics.ts'
import { cleanUp } from './cleanup.ts'

/** A connection like that of each thread, in a process with this thread only; closed after the test. */
export function openRedis(t: TestContext, config: RedisConfig, clock: Clock) {
  const { log, lines } = createMemoryLogger('debug', clock)
  const threads = new TopicHandlers(log)
  followOutages(threads, clock, log)
  const connection = new RedisConnection(config, { clock, log, threads }, new ThreadMetrics(() => {}, clock))
  cleanUp(t, () => connection.close())
  return { connection, log, lines }
}
