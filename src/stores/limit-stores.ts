import type { Clock } from '../core/clock.ts'
import type { Limit, Limits, LimitStoreName, Meter, StoreFailureMode, SyncMeter } from '../core/limits.ts'
import { MemoryMeter } from './memory/memory-meter.ts'
import type { SharedTable } from './memory/table.ts'
import type { RedisConnection } from './redis/connection.ts'
import { GuardedMeter } from './redis/guarded-meter.ts'
import { RedisMeter } from './redis/redis-meter.ts'

export interface LimitStoresOptions {
  /** The counts of this process, shared by its threads. */
  readonly table: SharedTable
  /** Null where there is no Redis. */
  readonly redis: RedisConnection | null
  readonly clock: Clock
}

/** Where one thread counts: in the table that it shares with the others, or in Redis. */
export class LimitStores implements Limits {
  private readonly table: SharedTable
  private readonly clock: Clock
  private readonly redis: RedisConnection | null

  constructor({ table, redis, clock }: LimitStoresOptions) {
    this.table = table
    this.clock = clock
    this.redis = redis
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
}
