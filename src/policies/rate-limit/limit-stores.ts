import { OpenStores } from '../open-stores.ts'
import type { StoreTools } from '../store-tools.ts'
import { memoryMeters } from './memory/memory-meters.ts'
import type { Limit, MakeMeter, Meter, MeterStore, StoreFailureMode, SyncMeter } from './meter.ts'
import { redisMeters } from './redis/redis-meters.ts'

/** Where counts can be kept. The one place where they are listed: the last one that is configured is the default. */
const stores = [memoryMeters, redisMeters] as const satisfies readonly MeterStore[]

export type LimitStoreName = (typeof stores)[number]['name']

/** Their names. */
export const limitStores: readonly LimitStoreName[] = stores.map(({ name }) => name)

/** Hands out meters; those with the same store and name of the limit share their counts. */
export interface RateLimits {
  /** A meter on the named store; by default on Redis where one is configured. Throws an Error where none is. */
  meter(limit: Limit, onStoreFailure: StoreFailureMode, store?: LimitStoreName): Meter
  /** A meter in the memory of the process. */
  localMeter(limit: Limit): SyncMeter
}

/** A limit that something is counted against. */
export interface KnownLimit {
  readonly limit: Limit
  readonly store: LimitStoreName
  readonly meter: Meter
}

/** Where one thread counts: in the table that it shares with the others, or in Redis. */
export class LimitStores implements RateLimits {
  private readonly stores: OpenStores<LimitStoreName, MakeMeter>
  private readonly makeLocal: (limit: Limit) => SyncMeter
  private readonly limits = new Map<string, KnownLimit>()

  constructor(tools: StoreTools) {
    this.stores = new OpenStores<LimitStoreName, MakeMeter>(stores, memoryMeters.name, tools)
    this.makeLocal = memoryMeters.open(tools)
  }

  /** Every limit that a meter was handed out for, once; to be asked about clients, not to count. */
  get known(): Iterable<KnownLimit> {
    return this.limits.values()
  }

  meter(limit: Limit, onStoreFailure: StoreFailureMode, store: LimitStoreName = this.stores.preferred): Meter {
    return this.remember({ limit, store, meter: this.stores.maker(store)(limit, onStoreFailure) }).meter
  }

  localMeter(limit: Limit): SyncMeter {
    const meter = this.makeLocal(limit)
    this.remember({ limit, store: memoryMeters.name, meter })
    return meter
  }

  private remember(known: KnownLimit): KnownLimit {
    const { name, algorithm, quotas } = known.limit
    const key = JSON.stringify([known.store, name, algorithm, quotas])
    if (!this.limits.has(key)) this.limits.set(key, known)
    return known
  }
}
