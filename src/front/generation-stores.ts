import { hash } from 'node:crypto'
import type { GatewayConfig } from '../config/schema.ts'
import type { ApiKeys } from '../policies/auth/api-key-store.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type Holder, Shared } from '../core/shared.ts'
import { CacheStores } from '../policies/cache/cache-stores.ts'
import { LimitStores } from '../policies/rate-limit/limit-stores.ts'
import type { SharedTable } from '../policies/rate-limit/memory/table.ts'
import { RedisConnection } from '../redis/connection.ts'
import { GuardedApiKeys } from '../policies/auth/redis/guarded-api-keys.ts'

/** How long a new connection to Redis is waited for, in milliseconds. */
const PATIENCE = 1000

/** The connections of a thread to Redis, by how it is reached. */
const connections = new Shared<RedisConnection>()

/** What a thread has for the stores of its configurations. */
export interface StoreTools {
  /** The counts of rate limits, which the threads of the process share. */
  readonly table: SharedTable
  /** Threads that answer requests. */
  readonly size: number
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** Where one configuration keeps things in one thread. */
export class GenerationStores {
  readonly limits: LimitStores
  readonly caches: CacheStores
  readonly apiKeys: ApiKeys | null
  /** Null where none is configured. */
  readonly redis: RedisConnection | null
  /** Tells them from the stores of another configuration. */
  readonly key: string
  private readonly isNew: boolean

  constructor({ stores }: Pick<GatewayConfig, 'stores'>, holder: Holder, tools: StoreTools) {
    const { table, size, clock, log, metrics } = tools
    const { redis } = stores
    // A digest, as there is a password among the options.
    this.key = redis === null ? 'memory' : `redis ${hash('sha256', JSON.stringify(redis), 'base64url')}`
    let isNew = false
    const make = (): RedisConnection => {
      isNew = true
      return new RedisConnection(redis!, clock, log, metrics)
    }
    this.redis = redis === null ? null : connections.get(holder, this.key, make)
    this.isNew = isNew
    this.limits = new LimitStores({ table, redis: this.redis, clock })
    this.caches = new CacheStores({ threads: size, connection: this.redis, clock, log })
    this.apiKeys = this.redis === null ? null : new GuardedApiKeys(this.redis, log)
  }

  /** Resolves when they can be asked, or could not for a while. Nobody waits for a Redis that is in use already. */
  async connected(): Promise<void> {
    if (this.isNew) await this.redis?.connected(PATIENCE)
  }
}
