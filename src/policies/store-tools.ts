import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Threads } from '../core/threads.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { ProcessStores } from './process-stores.ts'

/** What the stores of one configuration are created with, in one thread. */
export interface StoreTools {
  /** What all threads of the process share. */
  readonly process: ProcessStores
  /** Null if Redis is not configured. */
  readonly redis: RedisConnection | null
  /** Number of threads that handle requests. */
  readonly threads: number
  /** Index of this thread among them. */
  readonly worker: number
  /** Promises that must resolve before requests are handled. */
  readonly opening: Promise<unknown>[]
  /** All threads of this gateway, for sending questions to them. */
  readonly allThreads: Threads
  readonly clock: Clock
  readonly log: Logger
}
