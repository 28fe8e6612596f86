import type { Clock } from '../../core/clock.ts'
import type { Counter, Histogram } from '../../core/metrics.ts'

/** Some of a thread's numbers, in memory that outlives the thread. */
export class CellCounter implements Counter {
  private readonly cells: Float64Array
  private readonly at: number

  constructor(cells: Float64Array, at: number) {
    this.cells = cells
    this.at = at
  }

  add(amount: number): void {
    this.cells[this.at]! += amount
  }
}

/** An observation that stands for all of its bucket. */
export interface Exemplar {
  readonly traceId: string
  readonly seconds: number
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly wall: number
}

/** One number for each bucket, one for all that is above, and the sum of the seconds. */
export class CellHistogram implements Histogram {
  /** The last one of each bucket. */
  readonly exemplars: (Exemplar | null)[]
  private readonly cells: Float64Array
  private readonly at: number
  private readonly bounds: readonly number[]
  private readonly clock: Clock

  constructor(cells: Float64Array, at: number, bounds: readonly number[], clock: Clock) {
    this.cells = cells
    this.at = at
    this.bounds = bounds
    this.clock = clock
    this.exemplars = Array<Exemplar | null>(bounds.length + 1).fill(null)
  }

  observe(seconds: number, traceId: string | null): void {
    const { bounds, cells, at } = this
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    cells[at + bucket]!++
    cells[at + bounds.length + 1]! += seconds
    if (traceId !== null) this.exemplars[bucket] = { traceId, seconds, wall: this.clock.wall() }
  }
}

/** How many numbers a metric has: one, or those of a histogram with so many bounds. */
export function cellCount(bounds: readonly number[] | undefined): number {
  return bounds === undefined ? 1 : bounds.length + 2
}
