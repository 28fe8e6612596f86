import type { Clock } from '../../core/clock.ts'
import type { Counter, Histogram, Mark } from '../../core/metrics.ts'

// The cells are read by index, within those that were allotted: each "!" says so, and costs nothing.

/** Takes what is still counted for series that were retired; as long as any metric needs. */
const NOWHERE = new Float64Array(64)

/** Some of a thread's numbers, in memory that outlives the thread. */
export class CellCounter implements Counter, Mark {
  private cells: Float64Array
  private at: number

  constructor(cells: Float64Array, at: number) {
    this.cells = cells
    this.at = at
  }

  add(amount: number): void {
    this.cells[this.at]! += amount
  }

  set(value: number): void {
    this.cells[this.at] = value
  }

  /** Its numbers are needed for others: what is still added is lost. */
  detach(): void {
    this.cells = NOWHERE
    this.at = 0
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
  /** The last example of each bucket, in places of its own: there may be one for every request. */
  private readonly traceIds: (string | null)[]
  private readonly seconds: Float64Array
  private readonly ends: Float64Array
  private cells: Float64Array
  private at: number
  private readonly bounds: readonly number[]
  private readonly clock: Clock

  constructor(cells: Float64Array, at: number, bounds: readonly number[], clock: Clock) {
    this.cells = cells
    this.at = at
    this.bounds = bounds
    this.clock = clock
    this.traceIds = Array<string | null>(bounds.length + 1).fill(null)
    this.seconds = new Float64Array(bounds.length + 1)
    this.ends = new Float64Array(bounds.length + 1)
  }

  observe(seconds: number): void {
    this.count(seconds)
  }

  observeExample(seconds: number, traceId: string, end: number): void {
    const bucket = this.count(seconds)
    this.traceIds[bucket] = traceId
    this.seconds[bucket] = seconds
    this.ends[bucket] = end
  }

  /** Its numbers are needed for others: what is still observed is lost. */
  detach(): void {
    this.cells = NOWHERE
    this.at = 0
  }

  /** The last example of each bucket, null for one without; null where no bucket has one. */
  exemplars(): (Exemplar | null)[] | null {
    if (this.traceIds.every((traceId) => traceId === null)) return null
    const { clock, seconds, ends } = this
    const origin = clock.wall() - clock.now()
    return this.traceIds.map((traceId, i) =>
      traceId === null ? null : { traceId, seconds: seconds[i] ?? 0, wall: Math.round(origin + (ends[i] ?? 0)) },
    )
  }

  /** Counts it, and says in which bucket. */
  private count(seconds: number): number {
    const { bounds, cells, at } = this
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    cells[at + bucket]!++
    cells[at + bounds.length + 1]! += seconds
    return bucket
  }
}

/** How many numbers a metric has: one, or those of a histogram with so many bounds. */
export function cellCount(bounds: readonly number[] | undefined): number {
  return bounds === undefined ? 1 : bounds.length + 2
}
