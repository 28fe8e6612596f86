import type { CacheStore } from './store.ts'

/** Where the routes that give their replies so much memory find them: what stands there may be another store in another configuration. */
export class Partition {
  /** Octets. */
  readonly limit: number
  store: CacheStore
  private readonly make: () => CacheStore
  private readonly gone: (partition: Partition) => void

  constructor(limit: number, make: () => CacheStore, gone: (partition: Partition) => void) {
    this.limit = limit
    this.make = make
    this.gone = gone
    this.store = make()
  }

  /** Has that store from now on, with its replies. */
  take(store: CacheStore): void {
    this.store = store
    store.resize(this.limit)
  }

  /** Has an empty store of its own from now on. */
  renew(): void {
    this.store = this.make()
  }

  /** No configuration has it any more. */
  close(): void {
    this.gone(this)
  }
}
