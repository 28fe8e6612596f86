import type { Metrics } from '../../core/metrics.ts'
import { OpenStores, type StoreKind } from '../open-stores.ts'
import type { StoreTools } from '../store-tools.ts'
import { memoryRepeats } from './memory/memory-store.ts'
import { redisRepeats } from './redis/redis-store.ts'
import type { MakeRepeatStore, RepeatStore } from './store.ts'

/** Where replies can be kept. The one place where they are listed: the last one that is configured is the default. */
const stores = [memoryRepeats, redisRepeats] as const satisfies readonly StoreKind<MakeRepeatStore>[]

/** Where replies that are repeated can be kept. */
export type RepeatStoreName = (typeof stores)[number]['name']

/** Their names. */
export const repeatStores: readonly RepeatStoreName[] = stores.map(({ name }) => name)

/** Hands out where the replies are that are repeated. */
export interface Repeats {
  /** Which store there is where none is named. */
  readonly preferred: RepeatStoreName
  /** Throws an Error where it is not configured. */
  store(name: RepeatStoreName, metrics: Metrics): RepeatStore
}

/** Those of one thread. */
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
