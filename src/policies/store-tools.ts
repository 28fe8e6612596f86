import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Threads } from '../core/threads.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { ProcessStores } from './process-stores.ts'

/** What the stores of one configuration are made with, in one thread. */
export interface StoreTools {
  /** What the threads of the process share. */
  readonly process: ProcessStores
  /** Null where none is configured. */
  readonly redis: RedisConnection | null
  /** Threads that answer requests. */
  readonly threads: number
  /** Number of this one among them. */
  readonly worker: number
  /** What has to be there before requests are answered. */
  readonly opening: Promise<unknown>[]
  /** All threads of this gateway, to be asked. */
  readonly asked: Threads
  readonly clock: Clock
  readonly log: Logger
}
