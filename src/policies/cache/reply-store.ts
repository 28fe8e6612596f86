import type { StoreKind } from '../open-stores.ts'
import type { MakeCacheStore } from './store.ts'

/** A kind of store for replies, listed in `cache-stores.ts`. */
export interface ReplyStore extends StoreKind<MakeCacheStore> {
  /** Whether all stores created from the same configuration share their contents: an entry removed from one is removed from all. */
  readonly isShared: boolean
}
