import type { Headers } from '../../http/headers.ts'
import type { CacheAcceptance, CacheEntry, CacheStore, Missing } from './store.ts'

/** A read-only view of other stores. */
export class SeenReplies implements CacheStore {
  readonly flightTable = null
  /** What is said of a request that is only tried is what would be said of a real one. */
  readonly isWritable = true
  private readonly stores: () => readonly CacheStore[]

  /** `stores` returns the stores to look into at the time of a lookup. */
  constructor(stores: () => readonly CacheStore[]) {
    this.stores = stores
  }

  async find(url: string, key: string, request: Headers): Promise<CacheEntry | Missing> {
    let missing: Missing = 'uri-miss'
    // A key identifies the same kind of reply in every store.
    for (const store of this.stores()) {
      const found = await store.peek(url, key, request)
      if (typeof found !== 'string') return found
      if (found === 'vary-miss') missing = found
    }
    return missing
  }

  peek(url: string, key: string, request: Headers): Promise<CacheEntry | Missing> {
    return this.find(url, key, request)
  }

  accepts(): CacheAcceptance {
    return 'yes'
  }

  put(): boolean {
    return true
  }

  remove(): void {}

  invalidate(): number {
    return 0
  }

  invalidateGroup(): number {
    return 0
  }

  invalidatePrefix(): number {
    return 0
  }

  adopt(): void {}

  usage(): null {
    return null
  }

  maxBody(): number {
    return Number.POSITIVE_INFINITY
  }

  close(): void {}
}
