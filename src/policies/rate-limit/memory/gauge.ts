import type { QuotaState } from '../meter.ts'
import type { ClientHash } from './client-hash.ts'

/**
 * Reads and changes what one client has used of one quota. The methods are called in this order, for one client at a
 * time: `look`, then perhaps `take` and perhaps `giveBack`, then `state`. Times are microseconds.
 */
export interface Gauge {
  /** Finds out how much is used, and says whether that much more would be admitted. */
  look(client: ClientHash, now: number, cost: number): boolean
  /** Uses that much; false, and nothing is used, where other threads have left too little since `look`. */
  take(cost: number): boolean
  /** Undoes the `take` before it. */
  giveBack(cost: number): void
  /** Where the client stands now; `cost` is that of the request that was refused, or 0. */
  state(cost: number): QuotaState
  /** Ends what the client has used; for itself, outside of that order. */
  forget(client: ClientHash, now: number): void
}
