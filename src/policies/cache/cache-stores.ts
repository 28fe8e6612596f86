import type { Counter } from '../../core/metrics.ts'
import { OpenStores } from '../open-stores.ts'
import type { StoreTools } from '../store-tools.ts'
import { memoryReplies } from './memory/memory-store.ts'
import { redisReplies } from './redis/redis-store.ts'
import type { ReplyStore } from './reply-store.ts'
import type { CacheStore, MakeCacheStore } from './store.ts'

/** Where replies can be kept. The one place where they are listed: the last one that is configured is the default. */
const stores = [memoryReplies, redisReplies] as const satisfies readonly ReplyStore[]

/** Where stored replies can be kept. */
export type CacheStoreName = (typeof stores)[number]['name']

/** Their names. */
export const cacheStores: readonly CacheStoreName[] = stores.map(({ name }) => name)

/** What the caches of one thread are made from. */
export interface Caches {
  /** Which store a cache has that names none. */
  readonly preferred: CacheStoreName
  /** Whether all such stores that are made from the same configuration are one. */
  isShared(name: CacheStoreName): boolean
  /**
   * A store that takes so many octets of memory in the process: those that make room for others are counted by
   * `evictions`. Throws an Error where it is not configured.
   */
  make(name: CacheStoreName, memory: number, evictions: Counter): CacheStore
}

/** What the caches of one thread are made from: memory of the process, and Redis. */
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
