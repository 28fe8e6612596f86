import type { Metrics } from '../../core/metrics.ts'
import { OpenStores, type StoreKind } from '../open-stores.ts'
import type { StoreTools } from '../store-tools.ts'
import { memoryRepeats } from './memory/memory-store.ts'
import { redisRepeats } from './redis/redis-store.ts'
import type { MakeRepeatStore, RepeatStore } from './store.ts'

/** The stores for replies. This is the only place where they are listed; the last one that is configured is the default. */
const stores = [memoryRepeats, redisRepeats] as const satisfies readonly StoreKind<MakeRepeatStore>[]

/** Names of the stores for replies that are repeated. */
export type RepeatStoreName = (typeof stores)[number]['name']

/** Their names. */
export const repeatStores: readonly RepeatStoreName[] = stores.map(({ name }) => name)

/** Provides the stores of replies that are repeated. */
export interface Repeats {
  /** The default store if none is named. */
  readonly preferred: RepeatStoreName
  /** Throws an Error if it is not configured. */
  store(name: RepeatStoreName, metrics: Metrics): RepeatStore
}

/** The stores of one thread. */
export class OpenRepeats implements Repeats {
  private readonly stores: OpenStores<RepeatStoreName, MakeRepeatStore>

  constructor(tools: StoreTools) {
    this.stores = new OpenStores(stores, memoryRepeats.name, tools)
  }

  get preferred(): RepeatStoreName {
    return this.stores.preferred
  }

  store(name: RepeatStoreName, metrics: Metrics): RepeatStore {
    return this.stores.maker(name)(metrics.counter('sallyport_idempotency_evictions_total', { store: name }))
  }
}
