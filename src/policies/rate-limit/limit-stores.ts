import type { Clock } from '../../core/clock.ts'
import type { Limit, Limits, LimitStoreName, Meter, StoreFailureMode, SyncMeter } from './meter.ts'
import { MemoryMeter } from './memory/memory-meter.ts'
import type { SharedTable } from './memory/table.ts'
import type { RedisConnection } from '../../redis/connection.ts'
import { GuardedMeter } from './redis/guarded-meter.ts'
import { RedisMeter } from './redis/redis-meter.ts'

export interface LimitStoresOptions {
  /** The counts of this process, shared by its threads. */
  readonly table: SharedTable
  /** Null where there is no Redis. */
  readonly redis: RedisConnection | null
  readonly clock: Clock
}

/** A limit that something is counted against. */
export interface KnownLimit {
  readonly limit: Limit
  readonly store: LimitStoreName
  readonly meter: Meter
}

/** Where one thread counts: in the table that it shares with the others, or in Redis. */
export class LimitStores implements Limits {
  private readonly table: SharedTable
  private readonly clock: Clock
  private readonly redis: RedisConnection | null
  private readonly limits = new Map<string, KnownLimit>()

  constructor({ table, redis, clock }: LimitStoresOptions) {
    this.table = table
    this.clock = clock
    this.redis = redis
  }

  /** Every limit that a meter was handed out for, once; to be asked about clients, not to count. */
  get known(): Iterable<KnownLimit> {
    return this.limits.values()
  }

  meter(limit: Limit, onStoreFailure: StoreFailureMode, store?: LimitStoreName): Meter {
    if (store === 'memory' || (store === undefined && this.redis === null)) return this.localMeter(limit)
    if (this.redis === null) throw new Error('stores.redis is not configured')
    const { client, limits } = this.redis
    const local = new MemoryMeter(this.table, this.clock, limit)
    const meter = new GuardedMeter(new RedisMeter(client, limit), local, limits, onStoreFailure)
    this.remember({ limit, store: 'redis', meter })
    return meter
  }

  localMeter(limit: Limit): SyncMeter {
    const meter = new MemoryMeter(this.table, this.clock, limit)
    this.remember({ limit, store: 'memory', meter })
    return meter
  }

  private remember(known: KnownLimit): void {
    const { name, algorithm, quotas } = known.limit
    const key = JSON.stringify([known.store, name, algorithm, quotas])
    if (!this.limits.has(key)) this.limits.set(key, known)
  }
}
