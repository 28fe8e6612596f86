/** What an adaptive limit may be, and what it goes by. */
export interface LimitBounds {
  /** It never is less. */
  readonly floor: number
  /** So many times as long as usual may requests take before it falls. */
  readonly tolerance: number
  /** It never is more. */
  readonly most: number
}

/** What happened since the look before. */
export interface LimitWindow {
  /** Monotonic milliseconds. */
  readonly now: number
  /** Half of the requests that ended took less, in milliseconds. */
  readonly median: number
  /** The most that were in flight at a time. */
  readonly peak: number
  /** So many of those that ended had failed, or nobody waited any more, that how long they took says nothing of the service's work. */
  readonly sick: boolean
}

/** Between two looks, in milliseconds. */
export const LOOK = 100
/** What is usual follows what is measured over so many looks: ten minutes. */
const MEMORY = 6_000
/** Where everything has become much quicker, what is usual falls by a twentieth a second until it is twice that. */
const QUICKENING = 0.95 ** (LOOK / 1_000)
/** By so much a limit grows with each look, once nothing has been slow for so long, in milliseconds; less before that. */
const GROWTH = 0.5
const CALM = 10_000
/** A limit that is lowered falls to this part of what it was at least, and at most to the other. */
const SMALLEST_STEP = 0.67
const LARGEST_STEP = 0.5
/** Only a step as large as that tells whether the limit makes a difference. */
const TELLING = 0.7
/** So many times as long as requests take is waited for what a limit does to them. */
const SETTLING = 1.5
/** A limit that has been at its floor for so long, in milliseconds, and things are as slow as before: that is how long they take now. */
const STUCK = 60_000

// Cells of an estimate.
const LIMIT = 0
const USUAL = 1
/** When things were last too slow; 0 for never. */
const SLOW_AT = 2
/** Since when the limit is what it is, while things are too slow; 0 while they are not. */
const HELD_SINCE = 3
/** The longest median since then, and the last one. */
const LONGEST = 4
const LAST = 5
/** The limit before that, and the median with it; 0 for none. */
const LIMIT_BEFORE = 6
const MEDIAN_BEFORE = 7
/** Since when it is at the floor; 0 where it is not. */
const AT_FLOOR = 8

/** Cells that one estimate takes. */
export const ESTIMATE_CELLS = 9

/**
 * How many requests of a service may be in flight, from how long they take: it grows while they are as quick as usual, and falls once
 * they take `tolerance` times as long, which is because they wait for one another, or because the work itself takes longer now. The
 * limit finds out which: when it falls and requests take as long as before, it is the work, and that is usual from then on.
 * All of its state is in the cells, all 0 in the beginning.
 */
export class LimitEstimate {
  private readonly cells: Float64Array

  constructor(cells: Float64Array) {
    this.cells = cells
  }

  /** Half of the requests usually take less, in milliseconds; 0 while that is not known. */
  get usual(): number {
    return this.cells[USUAL]!
  }

  /** What it is within those bounds: the floor in the beginning. */
  limit({ floor, most }: LimitBounds): number {
    return Math.max(floor, Math.min(most, this.cells[LIMIT]!))
  }

  /**
   * How many may be in flight right now: as many as there may ever be while nothing has been slow of late, as a limit that nobody has
   * needed yet says nothing. Things are looked at often enough to notice where too many come.
   */
  room(bounds: LimitBounds): number {
    const { cells } = this
    const calm = cells[LIMIT] === 0 || (cells[USUAL] !== 0 && cells[SLOW_AT] === 0)
    return calm ? bounds.most : this.limit(bounds)
  }

  /** Nothing is known of the service yet, and little is answered: that so many are in flight may be usual. */
  look(peak: number, bounds: LimitBounds): void {
    const limit = this.limit(bounds)
    this.set(peak >= limit / 2 ? limit * (1 + GROWTH) : limit, bounds)
  }

  /** Goes by what has happened since the last look. */
  learn(window: LimitWindow, bounds: LimitBounds): void {
    const { cells } = this
    if (cells[USUAL] === 0) cells[USUAL] = window.median
    if (window.median <= bounds.tolerance * cells[USUAL]!) return this.grow(window, bounds)
    // Few requests wait for few others.
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

  private fall({ now, median, peak, sick }: LimitWindow, bounds: LimitBounds): void {
    const { cells } = this
    cells[SLOW_AT] = now
    const limit = this.limit(bounds)
    if (cells[HELD_SINCE] === 0) {
      this.hold(Math.min(limit, peak), now, bounds)
      cells[LIMIT_BEFORE] = 0
      cells[LAST] = median
      return
    }
    if (this.isStuck(limit, sick, now, bounds)) return this.accept(median)
    cells[LONGEST] = Math.max(cells[LONGEST]!, median)
    const recent = (median + cells[LAST]!) / 2
    cells[LAST] = median
    if (now - cells[HELD_SINCE]! < Math.max(2 * LOOK, SETTLING * cells[LONGEST])) return
    this.settle(recent, limit, sick, now, bounds)
  }

  /** The limit has been held for long enough to see what comes of it. */
  private settle(median: number, limit: number, sick: boolean, now: number, bounds: LimitBounds): void {
    const { cells } = this
    const before = cells[LIMIT_BEFORE]!
    const part = before === 0 ? 1 : limit / before
    if (part <= TELLING && !sick && median >= (cells[MEDIAN_BEFORE]! * (1 + part)) / 2) {
      this.accept(median)
      cells[SLOW_AT] = 0
      return this.set(before, bounds)
    }
    cells[LIMIT_BEFORE] = 0
    if (limit <= bounds.floor) return
    cells[LIMIT_BEFORE] = limit
    cells[MEDIAN_BEFORE] = median
    const wanted = (bounds.tolerance * cells[USUAL]!) / median
    this.hold(limit * Math.max(LARGEST_STEP, Math.min(SMALLEST_STEP, wanted)), now, bounds)
  }

  private isStuck(limit: number, sick: boolean, now: number, { floor }: LimitBounds): boolean {
    const { cells } = this
    if (limit > floor || sick) cells[AT_FLOOR] = 0
    else if (cells[AT_FLOOR] === 0) cells[AT_FLOOR] = now
    return cells[AT_FLOOR] !== 0 && now - cells[AT_FLOOR]! >= STUCK
  }

  /** That is how long requests take from now on. */
  private accept(median: number): void {
    const { cells } = this
    cells[USUAL] = median
    cells[HELD_SINCE] = cells[AT_FLOOR] = 0
  }

  private hold(limit: number, now: number, bounds: LimitBounds): void {
    this.set(limit, bounds)
    this.cells[HELD_SINCE] = now
    this.cells[LONGEST] = 0
  }

  private set(limit: number, { floor, most }: LimitBounds): void {
    this.cells[LIMIT] = Math.max(floor, Math.min(most, limit))
  }
}
