import type { Deadlines } from '../../http/deadlines.ts'
import type { WindowCounts } from '../health/window-counts.ts'
import type { RetryOptions } from './index.ts'

/** In milliseconds. */
const WINDOW = 10_000
/** Counter kinds: requests, and of those the retried and the hedged ones. */
const REQUEST = 0
const KINDS = { retry: 1, hedge: 2 } as const

/** Number of counter kinds that the budgets of a service use. */
export const BUDGET_KINDS = 3

/**
 * Limits how many requests of a service may be retried or hedged, across all workers. When everything fails or is slow, these would
 * multiply the load of a service that is already overloaded.
 */
export class RetryBudget {
  private readonly counts: WindowCounts
  private readonly slot: number
  private readonly kind: number
  private readonly part: number
  private readonly least: number
  private readonly deadlines: Pick<Deadlines, 'now'>

  /** Counts in the cells of that slot, which the service keeps when its instances change. */
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

  /** Counts a request, for all budgets of the service. */
  earn(): void {
    this.counts.add(this.slot, this.half, REQUEST)
  }

  /** How many retries are allowed right now. */
  get left(): number {
    return Math.max(0, Math.floor(this.earned - this.counts.sum(this.slot, this.half, this.kind)))
  }

  /**
   * Whether one more is allowed; if so, counts it. Each worker may see the spending of others slightly late and exceed the budget by one.
   */
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
