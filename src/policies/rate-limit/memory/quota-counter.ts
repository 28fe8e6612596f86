import type { QuotaState } from '../meter.ts'
import type { ClientHash } from './client-hash.ts'

/**
 * Reads and changes what one client has used of one quota. The methods are called in this order, for one client at a time: `look`,
 * then possibly `take` and `giveBack`, then `state`. Times are in microseconds.
 */
export interface QuotaCounter {
  /** Determines how much is used, and whether that cost would be admitted. */
  look(client: ClientHash, now: number, cost: number): boolean
  /** Uses that many units; false, with nothing used, if other threads have left too few since `look`. */
  take(cost: number): boolean
  /** Reverts the preceding `take`. */
  giveBack(cost: number): void
  /** The current state of the client; `cost` is that of the refused request, or 0. */
  state(cost: number): QuotaState
  /** Resets what the client has used; may be called independently of that order. */
  forget(client: ClientHash, now: number): void
}
