import type { Deadlines } from '../../http/deadlines.ts'
import type { WindowCounts } from '../health/window-counts.ts'
import type { RetryOptions } from './index.ts'

/** In milliseconds. */
const WINDOW = 10_000
/** What is counted: requests, and those of them that were sent again, or to two instances at once. */
const REQUEST = 0
const KINDS = { retry: 1, hedge: 2 } as const

/** How many kinds of counts the budgets of a service take. */
export const BUDGET_KINDS = 3

/**
 * How many requests of a service may be sent again, or to two instances at once, over all workers: where everything fails, or is slow, that would
 * multiply what a service gets which has too much already.
 */
export class RetryBudget {
  private readonly counts: WindowCounts
  private readonly slot: number
  private readonly kind: number
  private readonly part: number
  private readonly least: number
  private readonly deadlines: Pick<Deadlines, 'now'>

  /** Counts in the cells of that slot, which the service keeps whatever its instances are. */
  constructor(
    counts: WindowCounts,
    slot: number,
    { budget, minimum }: Pick<RetryOptions, 'budget' | 'minimum'>,
    deadlines: Pick<Deadlines, 'now'>,
    kind: keyof typeof KINDS = 'retry',
  ) {
    this.counts = counts
    this.slot = slot
    this.kind = KINDS[kind]
    this.part = budget
    this.least = (minimum * WINDOW) / 1000
    this.deadlines = deadlines
  }

  /** There is another request: for all budgets of the service. */
  earn(): void {
    this.counts.add(this.slot, this.half, REQUEST)
  }

  /** How many of them may be sent again now. */
  get left(): number {
    return Math.max(0, Math.floor(this.earned - this.counts.sum(this.slot, this.half, this.kind)))
  }

  /** Whether one of them may be sent again, which is counted then. Each worker may be one too late to see what others spend. */
  spend(): boolean {
    const { counts, slot, half, kind } = this
    if (counts.sum(slot, half, kind) + 1 > this.earned) return false
    counts.add(slot, half, kind)
    return true
  }

  private get earned(): number {
    return this.counts.sum(this.slot, this.half, REQUEST) * this.part + this.least
  }

  private get half(): number {
    return Math.floor((2 * this.deadlines.now) / WINDOW) | 0
  }
}
