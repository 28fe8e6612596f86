/** Bounds and tolerance of an adaptive limit. */
export interface LimitBounds {
  /** Minimum limit. */
  readonly floor: number
  /** The limit falls when requests take this many times as long as usual. */
  readonly tolerance: number
  /** Maximum limit. */
  readonly most: number
}

/** What happened since the previous evaluation. */
export interface LimitWindow {
  /** Monotonic milliseconds. */
  readonly now: number
  /** Median duration of the requests that ended, in milliseconds. */
  readonly median: number
  /** Maximum number of concurrent requests. */
  readonly peak: number
  /** Whether so many of the ended requests failed or were abandoned that durations say nothing about the service's work. */
  readonly failing: boolean
}

/** Interval between evaluations, in milliseconds. */
export const LOOK = 100
/** The usual duration follows the measured one over this many evaluations: ten minutes. */
const MEMORY = 6_000
/** When requests have become much faster, the usual duration falls by 5% per second until it is twice the measured one. */
const QUICKENING = 0.95 ** (LOOK / 1_000)
/** How much the limit grows per evaluation once nothing has been slow for the given time, in milliseconds; before that, it grows less. */
const GROWTH = 0.5
const CALM = 10_000
/** A limit is lowered to a fraction of its value: at most the first and at least the second of these. */
const MIN_STEP = 0.67
const MAX_STEP = 0.5
/** Only a step at least this large reveals whether the limit makes a difference. */
const TELLING = 0.7
/** The effect of a new limit is awaited for this multiple of the request duration. */
const SETTLING = 1.5
/** If the limit has been at its floor for this long, in milliseconds, and requests are still as slow, that is their usual duration now. */
const STUCK = 60_000

// Cells of an estimate.
const LIMIT = 0
const USUAL = 1
/** When requests were last too slow; 0 for never. */
const SLOW_AT = 2
/** Since when the limit has had its current value while requests are too slow; 0 while they are not. */
const HELD_SINCE = 3
/** The longest median since then, and the latest one. */
const MAX_MEDIAN = 4
const LAST = 5
/** The previous limit, and the median under it; 0 if there is none. */
const LIMIT_BEFORE = 6
const MEDIAN_BEFORE = 7
/** Since when the limit has been at its floor; 0 if it is not. */
const AT_FLOOR = 8

/** Number of cells of one estimate. */
export const ESTIMATE_CELLS = 9

/**
 * Derives the number of concurrent requests of a service from their durations. The limit grows while requests are as fast as usual, and
 * falls once they take `tolerance` times as long: either because they wait for one another, or because the work itself takes longer now.
 * The limit finds out which: if it falls and requests take as long as before, it is the work, and that duration becomes the usual one. The
 * entire state is in the cells, which are initially 0.
 */
export class LimitEstimate {
  private readonly cells: Float64Array

  constructor(cells: Float64Array) {
    this.cells = cells
  }

  /** The usual median duration, in milliseconds; 0 while unknown. */
  get usual(): number {
    return this.cells[USUAL]!
  }

  /** The limit within the given bounds; initially the floor. */
  limit({ floor, most }: LimitBounds): number {
    return Math.max(floor, Math.min(most, this.cells[LIMIT]!))
  }

  /**
   * How many requests may be in flight right now. While nothing has been slow recently, this is the maximum, as a limit that was never
   * needed means nothing. Evaluations are frequent enough to notice when too many requests arrive.
   */
  room(bounds: LimitBounds): number {
    const { cells } = this
    const calm = cells[LIMIT] === 0 || (cells[USUAL] !== 0 && cells[SLOW_AT] === 0)
    return calm ? bounds.most : this.limit(bounds)
  }

  /** Nothing is known about the service yet and few requests have ended: the current concurrency may be normal. */
  look(peak: number, bounds: LimitBounds): void {
    const limit = this.limit(bounds)
    this.set(peak >= limit / 2 ? limit * (1 + GROWTH) : limit, bounds)
  }

  /** Learns from what has happened since the previous evaluation. */
  learn(window: LimitWindow, bounds: LimitBounds): void {
    const { cells } = this
    if (cells[USUAL] === 0) cells[USUAL] = window.median
    if (window.median <= bounds.tolerance * cells[USUAL]!) return this.grow(window, bounds)
    // With so few requests in flight, they do not wait for one another.
    if (window.peak >= this.limit(bounds) / 2) this.fall(window, bounds)
  }

  private grow({ now, median, peak }: LimitWindow, bounds: LimitBounds): void {
    const { cells } = this
    const usual = cells[USUAL]! + ((median - cells[USUAL]!) * 2) / (MEMORY + 1)
    cells[USUAL] = usual > 2 * median ? usual * QUICKENING : usual
    cells[HELD_SINCE] = cells[AT_FLOOR] = 0
    const limit = this.limit(bounds)
    if (peak < limit / 2) return
    const calm = cells[SLOW_AT] === 0 ? 1 : Math.min(1, (now - cells[SLOW_AT]!) / CALM)
    this.set(Math.max(limit, calm === 1 ? peak : 0) * (1 + GROWTH * calm), bounds)
    if (calm === 1) cells[SLOW_AT] = 0
  }

  private fall({ now, median, peak, failing }: LimitWindow, bounds: LimitBounds): void {
    const { cells } = this
    cells[SLOW_AT] = now
    const limit = this.limit(bounds)
    if (cells[HELD_SINCE] === 0) {
      this.hold(Math.min(limit, peak), now, bounds)
      cells[LIMIT_BEFORE] = 0
      cells[LAST] = median
      return
    }
    if (this.isStuck(limit, failing, now, bounds)) return this.accept(median)
    cells[MAX_MEDIAN] = Math.max(cells[MAX_MEDIAN]!, median)
    const recent = (median + cells[LAST]!) / 2
    cells[LAST] = median
    if (now - cells[HELD_SINCE]! < Math.max(2 * LOOK, SETTLING * cells[MAX_MEDIAN])) return
    this.settle(recent, limit, failing, now, bounds)
  }

  /** The limit has been held long enough to see its effect. */
  private settle(median: number, limit: number, failing: boolean, now: number, bounds: LimitBounds): void {
    const { cells } = this
    const before = cells[LIMIT_BEFORE]!
    const part = before === 0 ? 1 : limit / before
    if (part <= TELLING && !failing && median >= (cells[MEDIAN_BEFORE]! * (1 + part)) / 2) {
      this.accept(median)
      cells[SLOW_AT] = 0
      return this.set(before, bounds)
    }
    cells[LIMIT_BEFORE] = 0
    if (limit <= bounds.floor) return
    cells[LIMIT_BEFORE] = limit
    cells[MEDIAN_BEFORE] = median
    const factor = (bounds.tolerance * cells[USUAL]!) / median
    this.hold(limit * Math.max(MAX_STEP, Math.min(MIN_STEP, factor)), now, bounds)
  }

  private isStuck(limit: number, failing: boolean, now: number, { floor }: LimitBounds): boolean {
    const { cells } = this
    if (limit > floor || failing) cells[AT_FLOOR] = 0
    else if (cells[AT_FLOOR] === 0) cells[AT_FLOOR] = now
    return cells[AT_FLOOR] !== 0 && now - cells[AT_FLOOR]! >= STUCK
  }

  /** Accepts the median as the usual duration from now on. */
  private accept(median: number): void {
    const { cells } = this
    cells[USUAL] = median
    cells[HELD_SINCE] = cells[AT_FLOOR] = 0
  }

  private hold(limit: number, now: number, bounds: LimitBounds): void {
    this.set(limit, bounds)
    this.cells[HELD_SINCE] = now
    this.cells[MAX_MEDIAN] = 0
  }

  private set(limit: number, { floor, most }: LimitBounds): void {
    this.cells[LIMIT] = Math.max(floor, Math.min(most, limit))
  }
}
