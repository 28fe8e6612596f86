import type { StoreKind } from '../open-stores.ts'
import type { MakeCacheStore } from './store.ts'

/** A place where replies can be kept, listed in `cache-stores.ts`. */
export interface ReplyStore extends StoreKind<MakeCacheStore> {
  /** All stores that are made from the same configuration are one: what one of them forgets the others forget. */
  readonly isShared: boolean
}
