/** Why an instance may be ejected: consecutive failures, its failure rate, or because it has stopped replying. */
export const ejectionReasons = ['row', 'rate', 'stall'] as const

export type EjectionReason = (typeof ejectionReasons)[number]

/** Details of an ejection; times are milliseconds of the clock shared by all threads. */
export interface Ejection {
  readonly reason: EjectionReason
  readonly since: number
  readonly until: number
  /** Number of ejections in close succession, which determines their duration. */
  readonly times: number
  /** By reason: number of consecutive failures; failure rate in percent; number of waiting requests. */
  readonly amount: number
  /** By reason: the last failure as a `failureCode`; the number of requests; how many milliseconds nothing was received. */
  readonly of: number
}

/** Cells per slot: one cache line. */
const LINE = 16
const REASON = 0
const SINCE = 1
const UNTIL = 2
const TIMES = 3
const AMOUNT = 4
const OF = 5
/** Number of consecutive failures. */
const ROW = 6
/** When the instance last returned. */
const RETURNED = 7
/** Start time of the last active check that passed. */
const PASSED = 8
/** Total number of ejections. */
const TOTAL = 9

/** Resolution of stored times, in milliseconds: 32 bits cover the first 6 years of machine uptime, then wrap around. */
const TICK = 100
/** The last time that can be stored, in ticks: an ejection may be configured to last longer. */
const LAST = 2 ** 31 - 1

/**
 * Which instances are ejected, why and until when, and each instance's number of consecutive failures, in shared memory. Any thread may
 * eject an instance, and all see it immediately; since the decision depends on the service's other instances, only one thread at a time may
 * do so. A dying thread leaves no lock behind, as the lock records its holder.
 */
export class Ejections {
  private readonly cells: Int32Array
  private readonly lock: Int32Array
  private readonly changed: () => void

  /** Number of cells for that many slots. */
  static cellsFor(slots: number): number {
    return slots * LINE
  }

  /**
   * Uses that part of the shared memory. `lock` is one of the board's cells; `changed` makes all threads re-evaluate which instances are
   * usable.
   */
  constructor(cells: Int32Array, lock: Int32Array, changed: () => void) {
    this.cells = cells
    this.lock = lock
    this.changed = changed
  }

  /** Whether the instance is ejected. */
  isEjected(slot: number): boolean {
    return this.cells[slot * LINE + REASON] !== 0
  }

  /** Whether the instance is ejected because it has stopped replying. */
  stalled(slot: number): boolean {
    return this.cells[slot * LINE + REASON] === ejectionReasons.indexOf('stall') + 1
  }

  /** Details of the current ejection; null if the instance is not ejected. */
  of(slot: number): Ejection | null {
    const reason = ejectionReasons[this.load(slot, REASON) - 1]
    if (reason === undefined) return null
    return {
      reason,
      since: this.load(slot, SINCE) * TICK,
      until: this.load(slot, UNTIL) * TICK,
      times: this.load(slot, TIMES),
      amount: this.load(slot, AMOUNT),
      of: this.load(slot, OF),
    }
  }

  /** Number of ejections since the instance got its slot. */
  total(slot: number): number {
    return this.load(slot, TOTAL)
  }

  /** Number of consecutive failures. */
  row(slot: number): number {
    return this.load(slot, ROW)
  }

  /** Records a reply that does not count against the instance; resets its consecutive failures. */
  passed(slot: number): void {
    const at = slot * LINE + ROW
    // In the normal case nothing is written, so the cell stays in every core's cache.
    if (this.cells[at] !== 0) Atomics.store(this.cells, at, 0)
  }

  /** Records a failure; returns the number of consecutive failures. */
  failed(slot: number): number {
    return Atomics.add(this.cells, slot * LINE + ROW, 1) + 1
  }

  /** Records that an active check passed, with its start time. */
  checkPassed(slot: number, began: number): void {
    this.store(slot, PASSED, tickOf(began))
  }

  /** Whether an active check that started after `since` has passed. */
  hasPassedSince(slot: number, since: number): boolean {
    const passed = this.load(slot, PASSED)
    return passed !== 0 && passed > tickOf(since)
  }

  /**
   * Runs `attempt`, which may eject an instance, unless another thread is doing so; in that case nothing happens, as the next failure tries
   * again. `holder` must be at least 0.
   */
  alone(holder: number, attempt: () => void): void {
    if (Atomics.compareExchange(this.lock, 0, 0, holder + 1) !== 0) return
    try {
      attempt()
    } finally {
      Atomics.compareExchange(this.lock, 0, holder + 1, 0)
    }
  }

  /** The ejection count to use now, including this one: it is reduced by one for every `decay` ms of good health. */
  timesAt(slot: number, now: number, decay: number): number {
    const times = this.load(slot, TIMES)
    if (times === 0) return 1
    const well = (tickOf(now) - this.load(slot, RETURNED)) * TICK
    return Math.max(0, times - Math.floor(Math.max(0, well) / decay)) + 1
  }

  /** Ejects the instance; only to be called within `alone`. */
  begin(slot: number, { reason, since, until, times, amount, of }: Ejection): void {
    this.store(slot, SINCE, tickOf(since))
    this.store(slot, UNTIL, Math.min(Math.max(tickOf(since) + 1, Math.ceil(until / TICK)), LAST))
    this.store(slot, TIMES, times)
    this.store(slot, AMOUNT, amount)
    this.store(slot, OF, of)
    Atomics.add(this.cells, slot * LINE + TOTAL, 1)
    this.store(slot, REASON, ejectionReasons.indexOf(reason) + 1)
    this.changed()
  }

  /** Ends the ejection and presets the number of consecutive failures to `row`. Returns whether the instance was ejected. */
  end(slot: number, now: number, row: number): boolean {
    if (!this.isEjected(slot)) return false
    this.store(slot, ROW, row)
    this.store(slot, RETURNED, tickOf(now))
    if (Atomics.exchange(this.cells, slot * LINE + REASON, 0) === 0) return false
    this.changed()
    return true
  }

  /** Clears the state because another instance gets the slot. */
  clear(slot: number): void {
    const held = this.isEjected(slot)
    this.cells.fill(0, slot * LINE, (slot + 1) * LINE)
    if (held) this.changed()
  }

  /** Releases the lock if it is held by a thread that has died. */
  forget(holder: number): void {
    Atomics.compareExchange(this.lock, 0, holder + 1, 0)
    this.changed()
  }

  private load(slot: number, cell: number): number {
    return Atomics.load(this.cells, slot * LINE + cell)
  }

  private store(slot: number, cell: number, value: number): void {
    Atomics.store(this.cells, slot * LINE + cell, value)
  }
}

function tickOf(ms: number): number {
  return Math.floor(ms / TICK)
}
