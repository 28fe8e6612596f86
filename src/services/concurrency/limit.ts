import type { OutcomeListener } from '../outcome.ts'
import type { Priority } from './priority.ts'

/** That a request is not admitted. */
export const SHED = -1

/**
 * Up to which part of a limit the requests of each priority are admitted. A tenth of it apart: while the limit is full, those of high
 * priority come in less quickly than requests end, or they would be too many by themselves.
 */
export const SHARES: Readonly<Record<Priority, number>> = { high: 1.1, normal: 1, low: 0.8 }

/** Bounds the requests of one service that wait for the head of its reply, of all workers. It may want to know how attempts end. */
export interface ConcurrencyLimit extends Partial<Pick<OutcomeListener, 'ended'>> {
  /** Requests that may wait at a time. */
  readonly value: number
  /** Counts a request that may fill such a part of the limit, and gives what it is released with, or SHED where there is no room. */
  admit(share: number): number
  /** That request waits no longer. */
  release(admitted: number): void
}
