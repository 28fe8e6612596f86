import type { Counter } from '../../core/metrics.ts'
import { OpenStores } from '../open-stores.ts'
import type { StoreTools } from '../store-tools.ts'
import { memoryReplies } from './memory/memory-store.ts'
import { redisReplies } from './redis/redis-store.ts'
import type { ReplyStore } from './reply-store.ts'
import type { CacheStore, MakeCacheStore } from './store.ts'

/** The stores for replies. This is the only place where they are listed; the last one that is configured is the default. */
const stores = [memoryReplies, redisReplies] as const satisfies readonly ReplyStore[]

/** Names of the stores for replies. */
export type CacheStoreName = (typeof stores)[number]['name']

/** Their names. */
export const cacheStores: readonly CacheStoreName[] = stores.map(({ name }) => name)

/** Creates the cache stores of one thread. */
export interface Caches {
  /** The default store of caches that name none. */
  readonly preferred: CacheStoreName
  /** Whether all such stores created from the same configuration share their contents. */
  isShared(name: CacheStoreName): boolean
  /**
   * Creates a store that uses up to `memory` bytes in the process; entries that are evicted are counted by `evictions`. Throws an
   * Error if it is not configured.
   */
  make(name: CacheStoreName, memory: number, evictions: Counter): CacheStore
}

/** Creates the cache stores of one thread: in the memory of the process, and in Redis. */
export class CacheStores implements Caches {
  private readonly stores: OpenStores<CacheStoreName, MakeCacheStore>

  constructor(tools: StoreTools) {
    this.stores = new OpenStores(stores, memoryReplies.name, tools)
  }

  get preferred(): CacheStoreName {
    return this.stores.preferred
  }

  isShared(name: CacheStoreName): boolean {
    return stores.some((store) => store.name === name && store.isShared)
  }

  make(name: CacheStoreName, memory: number, evictions: Counter): CacheStore {
    return this.stores.maker(name)(memory, evictions)
  }
}
