import type { CacheStore, Caches, Select } from './store.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Counter } from '../../core/metrics.ts'
import { RedisCacheStore } from './redis/redis-store.ts'
import type { RedisConnection } from '../../redis/connection.ts'

export interface CacheStoresOptions {
  readonly threads: number
  /** Null where there is no Redis. */
  readonly connection: RedisConnection | null
  readonly clock: Clock
  readonly log: Logger
}

/** What the caches of one thread are made from: its share of the memory, and Redis. */
export class CacheStores implements Caches {
  readonly threads: number
  readonly preferred: 'memory' | 'redis'
  private readonly options: CacheStoresOptions

  constructor(options: CacheStoresOptions) {
    this.threads = options.threads
    this.preferred = options.connection === null ? 'memory' : 'redis'
    this.options = options
  }

  redis(select: Select, copies: number, evictions: Counter): CacheStore {
    const { connection, clock, log } = this.options
    if (connection === null) throw new Error('stores.redis is not configured')
    return new RedisCacheStore({ connection, clock, log, select, copies, evictions })
  }
}
