import type { Clock } from '../../core/clock.ts'
import type { Counter, Histogram, Gauge } from '../../core/metrics.ts'

// Cells are read by index within their allocated range: each "!" states that and costs nothing.

/** Absorbs what is still counted for retired series; as large as any metric needs. */
const NOWHERE = new Float64Array(64)

/** A range of a thread's numbers, in memory that outlives the thread. */
export class CellCounter implements Counter, Gauge {
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

  get value(): number {
    return this.cells[this.at]!
  }

  /** The range is needed for other series: later increments are lost. */
  detach(): void {
    this.cells = NOWHERE
    this.at = 0
  }
}

/** A sample observation of a bucket. */
export interface Exemplar {
  readonly traceId: string
  readonly seconds: number
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly wall: number
}

/** One number for each bucket, one for everything above the last bound, and the sum of the seconds. */
export class CellHistogram implements Histogram {
  /** The latest exemplar of each bucket, in preallocated arrays, because there may be one for every request. */
  private readonly traceIds: (string | null)[]
  private readonly seconds: Float64Array
  private readonly ends: Float64Array
  /** The ends on the wall clock, NaN until they are read. */
  private readonly walls: Float64Array
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
    this.walls = new Float64Array(bounds.length + 1)
  }

  observe(seconds: number): void {
    this.count(seconds)
  }

  observeExample(seconds: number, traceId: string, end: number): void {
    const bucket = this.count(seconds)
    this.traceIds[bucket] = traceId
    this.seconds[bucket] = seconds
    this.ends[bucket] = end
    this.walls[bucket] = NaN
  }

  /** Number of observations. */
  get total(): number {
    return this.cells.subarray(this.at, this.at + this.bounds.length + 1).reduce((sum, count) => sum + count, 0)
  }

  /** The range is needed for other series: later observations are lost. */
  detach(): void {
    this.cells = NOWHERE
    this.at = 0
  }

  /** The latest exemplar of each bucket, null for a bucket without one; null if no bucket has one. */
  exemplars(): (Exemplar | null)[] | null {
    if (this.traceIds.every((traceId) => traceId === null)) return null
    const { clock, seconds, walls } = this
    this.readWalls(clock.wall() - clock.now())
    return this.traceIds.map((traceId, i) =>
      traceId === null ? null : { traceId, seconds: seconds[i] ?? 0, wall: walls[i] ?? 0 },
    )
  }

  /** Each exemplar keeps its first time: `origin` varies by a millisecond, and Prometheus refuses one that moves back. */
  private readWalls(origin: number): void {
    const { ends, walls } = this
    for (const [i, wall] of walls.entries()) if (Number.isNaN(wall)) walls[i] = Math.round(origin + (ends[i] ?? 0))
  }

  /** Counts an observation and returns its bucket. */
  private count(seconds: number): number {
    const { bounds, cells, at } = this
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    cells[at + bucket]!++
    cells[at + bounds.length + 1]! += seconds
    return bucket
  }
}

/** How many numbers a metric needs: one, or those of a histogram with these bounds. */
export function cellCount(bounds: readonly number[] | undefined): number {
  return bounds === undefined ? 1 : bounds.length + 2
}
