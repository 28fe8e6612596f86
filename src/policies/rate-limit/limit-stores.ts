import type { Clock } from '../../core/clock.ts'
import { OpenStores } from '../open-stores.ts'
import type { StoreTools } from '../store-tools.ts'
import { memoryMeters } from './memory/memory-meters.ts'
import type { Limit, MakeMeter, Meter, MeterStore, StoreFailureMode, SyncMeter } from './meter.ts'
import { LimitWatch } from './limit-watch.ts'
import type { NearLimits } from './near-limits.ts'
import { redisMeters } from './redis/redis-meters.ts'

/** The stores for counts. This is the only place where they are listed; the last one that is configured is the default. */
const stores = [memoryMeters, redisMeters] as const satisfies readonly MeterStore[]

/** Names of the stores for counts. */
export type LimitStoreName = (typeof stores)[number]['name']

/** Their names. */
export const limitStores: readonly LimitStoreName[] = stores.map(({ name }) => name)

/** Provides meters; those with the same store and limit name share their counts. */
export interface RateLimits {
  /** A meter in the named store, by default in Redis if that is configured. Throws an Error if the store is not configured. */
  meter(limit: Limit, onStoreFailure: StoreFailureMode, store?: LimitStoreName): Meter
  /** A meter in the memory of the process. */
  localMeter(limit: Limit): SyncMeter
  /** Watches for clients that come near a limit whose meter is in that store, with the same default as `meter`. */
  watch(limit: Limit, store?: LimitStoreName): LimitWatch
}

/** A limit that is in use. */
export interface KnownLimit {
  /** Uniquely identifies it. */
  readonly key: string
  readonly limit: Limit
  readonly store: LimitStoreName
  readonly meter: Meter
}

/** The limits of one thread: counted in the table that it shares with other threads, or in Redis. */
export class LimitStores implements RateLimits {
  private readonly stores: OpenStores<LimitStoreName, MakeMeter>
  private readonly makeLocal: (limit: Limit) => SyncMeter
  private readonly limits = new Map<string, KnownLimit>()
  private readonly clock: Clock
  /** The clients near their limits, as seen by this thread. */
  readonly near: NearLimits

  constructor(tools: StoreTools) {
    this.clock = tools.clock
    this.near = tools.process.near
    this.stores = new OpenStores<LimitStoreName, MakeMeter>(stores, memoryMeters.name, tools)
    this.makeLocal = memoryMeters.open(tools)
  }

  /** Every limit for which a meter was provided, once; for queries about clients, not for counting. */
  get known(): Iterable<KnownLimit> {
    return this.limits.values()
  }

  /** The limit with that key; undefined if it is no longer in use. */
  find(key: string): KnownLimit | undefined {
    return this.limits.get(key)
  }

  meter(limit: Limit, onStoreFailure: StoreFailureMode, store: LimitStoreName = this.stores.preferred): Meter {
    const meter = this.stores.maker(store)(limit, onStoreFailure)
    this.remember(limit, store, meter)
    return meter
  }

  localMeter(limit: Limit): SyncMeter {
    const meter = this.makeLocal(limit)
    this.remember(limit, memoryMeters.name, meter)
    return meter
  }

  watch(limit: Limit, store: LimitStoreName = this.stores.preferred): LimitWatch {
    return new LimitWatch(this.near, this.clock, keyOf(limit, store), limit.quotas)
  }

  private remember(limit: Limit, store: LimitStoreName, meter: Meter): void {
    const key = keyOf(limit, store)
    if (!this.limits.has(key)) this.limits.set(key, { key, limit, store, meter })
  }
}

function keyOf({ name, algorithm, quotas }: Limit, store: LimitStoreName): string {
  return JSON.stringify([store, name, algorithm, quotas])
}
