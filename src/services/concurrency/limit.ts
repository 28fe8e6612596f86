import type { OutcomeListener } from '../outcome.ts'
import type { Priority } from './priority.ts'

/** Returned for a request that is not admitted. */
export const SHED = -1

/**
 * The fraction of the limit up to which requests of each priority are admitted. High priority goes only 10% above the limit: while the
 * limit is full, high-priority requests must arrive more slowly than requests end, or they would overload the service by themselves.
 */
export const SHARES: Readonly<Record<Priority, number>> = { high: 1.1, normal: 1, low: 0.8 }

/**
 * Limits the requests of one service that wait for the head of their reply, across all workers. Can also listen to the outcomes of
 * attempts.
 */
export interface ConcurrencyLimit extends Partial<Pick<OutcomeListener, 'ended'>> {
  /** The current limit. */
  readonly value: number
  /** Counts a request that may use up to this fraction of the limit. Returns a token for `release`, or SHED if there is no room. */
  admit(share: number): number
  /** Ends the waiting of an admitted request. */
  release(admitted: number): void
}
