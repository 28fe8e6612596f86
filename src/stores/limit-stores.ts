import type { Clock } from '../core/clock.ts'
import type { Limit, Limits, LimitStoreName, Meter, StoreFailureMode, SyncMeter } from '../core/limits.ts'
import type { Logger } from '../core/logger.ts'
import { MemoryMeter } from './memory/memory-meter.ts'
import type { SharedTable } from './memory/table.ts'
import { connectRedis, type RedisClient, type RedisConfig } from './redis/client.ts'
import { GuardedMeter } from './redis/guarded-meter.ts'
import { Outage } from './redis/outage.ts'
import { RedisMeter } from './redis/redis-meter.ts'

export interface LimitStoresOptions {
  /** The counts of this process, shared by its threads. */
  readonly table: SharedTable
  /** Null where there is no Redis. */
  readonly redis: RedisConfig | null
  readonly clock: Clock
  readonly log: Logger
}

/** The stores of one thread: the table that it shares with the others, and its own connection to Redis. */
export class LimitStores implements Limits {
  private readonly table: SharedTable
  private readonly clock: Clock
  private readonly redis: { readonly client: RedisClient; readonly outage: Outage } | null

  constructor({ table, redis, clock, log }: LimitStoresOptions) {
    this.table = table
    this.clock = clock
    this.redis =
      redis === null ? null : { client: connectRedis(redis), outage: new Outage(clock, log, redis.timeout) }
  }

  meter(limit: Limit, onStoreFailure: StoreFailureMode, store?: LimitStoreName): Meter {
    const local = this.localMeter(limit)
    if (store === 'memory' || (store === undefined && this.redis === null)) return local
    if (this.redis === null) throw new Error('stores.redis is not configured')
    const { client, outage } = this.redis
    return new GuardedMeter(new RedisMeter(client, limit), local, outage, onStoreFailure)
  }

  localMeter(limit: Limit): SyncMeter {
    return new MemoryMeter(this.table, this.clock, limit)
  }

  /** Resolves when Redis can be asked, or after `patience` ms. */
  connected(patience: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.redis === null || this.redis.client.status === 'ready') return resolve()
      const cancel = this.clock.after(patience, resolve)
      this.redis.client.once('ready', () => {
        cancel()
        resolve()
      })
    })
  }

  /** Ends the connection to Redis. */
  close(): void {
    this.redis?.outage.close()
    this.redis?.client.disconnect()
  }
}
