/** Why an instance may be ejected: failures in a row, their part of all requests, or that nothing comes any more. */
export const ejectionReasons = ['row', 'rate', 'stall'] as const

export type EjectionReason = (typeof ejectionReasons)[number]

/** What is known of an ejection; times are milliseconds of the clock that threads share. */
export interface Ejection {
  readonly reason: EjectionReason
  readonly since: number
  readonly until: number
  /** How often in a row, with little between: what the time grows with. */
  readonly times: number
  /** By reason: failures in a row; the part of failures, in percent; requests that wait. */
  readonly amount: number
  /** By reason: what the last one was, as `failureCode` has it; of how many requests; for how many milliseconds nothing came. */
  readonly of: number
}

/** Cells of a slot: one cache line. */
const LINE = 16
const REASON = 0
const SINCE = 1
const UNTIL = 2
const TIMES = 3
const AMOUNT = 4
const OF = 5
/** Failures in a row. */
const ROW = 6
/** When it came back last. */
const RETURNED = 7
/** When the last active check began that passed. */
const PASSED = 8
/** How often it was ejected at all. */
const TOTAL = 9

/** What times are kept in, in milliseconds: in 32 bits the first 6 years since the machine was started have room, and after that they wrap. */
const TICK = 100

/**
 * Which instances are ejected, why and until when, and how many failures in a row each has, in shared memory. Any thread may eject one,
 * and all see it at once; as that depends on the others of the service, one thread at a time may. A thread that dies leaves nothing
 * behind: the lock says whose it is.
 */
export class Ejections {
  private readonly cells: Int32Array
  private readonly lock: Int32Array
  private readonly changed: () => void

  /** Cells that so many slots take. */
  static cellsFor(slots: number): number {
    return slots * LINE
  }

  /** On that part of the shared memory; `lock` is one cell of it, and `changed` has everybody look again which instances may be used. */
  constructor(cells: Int32Array, lock: Int32Array, changed: () => void) {
    this.cells = cells
    this.lock = lock
    this.changed = changed
  }

  /** Whether it is ejected. */
  holds(slot: number): boolean {
    return this.cells[slot * LINE + REASON] !== 0
  }

  /** Whether it is ejected as nothing came from it. */
  stalled(slot: number): boolean {
    return this.cells[slot * LINE + REASON] === ejectionReasons.indexOf('stall') + 1
  }

  /** Why and until when; null where it is not ejected. */
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

  /** How often it was ejected since it has its slot. */
  total(slot: number): number {
    return this.load(slot, TOTAL)
  }

  /** How many failures in a row it has. */
  row(slot: number): number {
    return this.load(slot, ROW)
  }

  /** A reply that says nothing against the instance: no failures in a row. */
  passed(slot: number): void {
    const at = slot * LINE + ROW
    // Where all is well, as nearly always, nothing is written, and the cell stays in everybody's cache.
    if (this.cells[at] !== 0) Atomics.store(this.cells, at, 0)
  }

  /** A failure; returns how many there are in a row. */
  failed(slot: number): number {
    return Atomics.add(this.cells, slot * LINE + ROW, 1) + 1
  }

  /** An active check passed that had begun at that time. */
  checkPassed(slot: number, began: number): void {
    this.store(slot, PASSED, tickOf(began))
  }

  /** Whether an active check has passed that began since then. */
  hasPassedSince(slot: number, since: number): boolean {
    const passed = this.load(slot, PASSED)
    return passed !== 0 && passed > tickOf(since)
  }

  /**
   * Has `attempt` look whether an instance may be ejected while nobody else does; where somebody does, nothing happens, as the next failure
   * asks again. Whoever it is, is at least 0.
   */
  alone(holder: number, attempt: () => void): void {
    if (Atomics.compareExchange(this.lock, 0, 0, holder + 1) !== 0) return
    try {
      attempt()
    } finally {
      Atomics.compareExchange(this.lock, 0, holder + 1, 0)
    }
  }

  /** How often it is to be counted as ejected, this time included: each `decay` ms that it went well since takes one off. */
  timesAt(slot: number, now: number, decay: number): number {
    const times = this.load(slot, TIMES)
    if (times === 0) return 1
    const well = (tickOf(now) - this.load(slot, RETURNED)) * TICK
    return Math.max(0, times - Math.floor(Math.max(0, well) / decay)) + 1
  }

  /** Ejects it; within `alone` only. */
  begin(slot: number, { reason, since, until, times, amount, of }: Ejection): void {
    this.store(slot, SINCE, tickOf(since))
    this.store(slot, UNTIL, Math.max(tickOf(since) + 1, Math.ceil(until / TICK)))
    this.store(slot, TIMES, times)
    this.store(slot, AMOUNT, amount)
    this.store(slot, OF, of)
    Atomics.add(this.cells, slot * LINE + TOTAL, 1)
    this.store(slot, REASON, ejectionReasons.indexOf(reason) + 1)
    this.changed()
  }

  /** Takes it back; so many failures in a row are held against it already. Whether it was ejected. */
  end(slot: number, now: number, row: number): boolean {
    if (!this.holds(slot)) return false
    this.store(slot, ROW, row)
    this.store(slot, RETURNED, tickOf(now))
    if (Atomics.exchange(this.cells, slot * LINE + REASON, 0) === 0) return false
    this.changed()
    return true
  }

  /** Another instance has the slot: nothing is known of it. */
  clear(slot: number): void {
    const held = this.holds(slot)
    this.cells.fill(0, slot * LINE, (slot + 1) * LINE)
    if (held) this.changed()
  }

  /** Takes back what a thread has left that is gone. */
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
