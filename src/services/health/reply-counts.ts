/** Number of slices per window, including the current one. A power of two. */
export const SLICES = 8
/** Cells per slice: its number, and the count of replies of each kind. */
const SLICE = 4
const GOOD = 1
const ERRORS = 2
const UNAVAILABLE = 3
/** Cells per slot: a ring of the latest slices. */
const SLOT_CELLS = SLICES * SLICE
/** More replies than a worker can receive from an instance within one slice. */
const MANY = 2 ** 20
/** A faster reply lowers the maximum response time by at most this fraction of the difference. */
const EASE = 1 / 200
/** Rows are aligned to cache lines of 64 bytes. */
const LINE = 16

/** Outcomes of an instance's requests within a period. */
export interface Tally {
  good: number
  /** Replies with 500 and other 5xx codes except 502 to 504: the request may be to blame. */
  errors: number
  /** No reply, or 502 to 504. */
  unavailable: number
}

/**
 * The outcomes of recent attempts per instance, the number of waiting requests, and the response time, in shared memory. Each worker writes
 * only its own rows, so no locks are needed; readers add up the rows of all workers. The counts of a dead worker expire by themselves.
 */
export class ReplyCounts {
  private readonly cells: Int32Array
  private readonly slots: number
  private readonly workers: number
  /** By slot, for this worker. */
  private readonly waits: Int32Array
  private readonly slowest: Int32Array
  private readonly counts: Int32Array

  /** Number of cells for that many slots and workers. */
  static cellsFor(slots: number, workers: number): number {
    return workers * rowFor(slots)
  }

  /** Uses that part of the shared memory, as the worker with that number. */
  constructor(cells: Int32Array, slots: number, workers: number, worker: number) {
    this.cells = cells
    this.slots = slots
    this.workers = workers
    this.waits = this.part(worker, 0, 1)
    this.slowest = this.part(worker, 1, 1)
    this.counts = this.part(worker, 2, SLOT_CELLS)
  }

  /** A request starts waiting for the instance's reply. */
  waitBegins(slot: number): void {
    this.waits[slot]!++
  }

  /** The request no longer waits. */
  waitEnds(slot: number): void {
    this.waits[slot]!--
  }

  /** Records a response time in milliseconds: a slower one takes effect immediately, a faster one gradually. */
  took(slot: number, ms: number): void {
    const { slowest } = this
    const before = slowest[slot]!
    slowest[slot] = ms > before ? ms : before + (ms - before) * EASE
  }

  /** Records a reply that does not count against the instance, in that slice. */
  good(slot: number, slice: number): void {
    this.counts[this.at(slot, slice) + GOOD]!++
  }

  error(slot: number, slice: number): void {
    this.counts[this.at(slot, slice) + ERRORS]!++
  }

  unavailable(slot: number, slice: number): void {
    this.counts[this.at(slot, slice) + UNAVAILABLE]!++
  }

  /** The totals of all workers for the last `slices` slices up to the given one; by default the whole window. */
  tally(slot: number, slice: number, slices = SLICES): Tally {
    const sum = { good: 0, errors: 0, unavailable: 0 }
    for (let worker = 0; worker < this.workers; worker++) {
      const start = this.startOf(worker) + 2 * this.slots + slot * SLOT_CELLS
      for (let at = start; at < start + SLOT_CELLS; at += SLICE) {
        const age = slice - this.cell(at)
        // Another worker may already have moved on to the next slice.
        if (age < -1 || age >= slices) continue
        sum.good += this.cell(at + GOOD)
        sum.errors += this.cell(at + ERRORS)
        sum.unavailable += this.cell(at + UNAVAILABLE)
      }
    }
    return sum
  }

  /** Requests of all workers that wait for the instance's reply. */
  waiting(slot: number): number {
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++) sum += this.cell(this.startOf(worker) + slot)
    return sum
  }

  /** Maximum response time over the last few hundred replies, in milliseconds. */
  slowestOf(slot: number): number {
    let most = 0
    for (let worker = 0; worker < this.workers; worker++)
      most = Math.max(most, this.cell(this.startOf(worker) + this.slots + slot))
    return most
  }

  /** Changes with every reply; compare for equality only. */
  replyVersion(slot: number): number {
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++) {
      const start = this.startOf(worker) + 2 * this.slots + slot * SLOT_CELLS
      for (let at = start; at < start + SLOT_CELLS; at += SLICE)
        sum += this.cell(at + GOOD) + this.cell(at + ERRORS) + this.cell(at) * MANY
    }
    return sum
  }

  /** Clears the reply counts; concurrent counts by workers may be lost. */
  clear(slot: number): void {
    for (let worker = 0; worker < this.workers; worker++) {
      const start = this.startOf(worker) + 2 * this.slots + slot * SLOT_CELLS
      this.cells.fill(0, start, start + SLOT_CELLS)
    }
  }

  /** Another instance gets the slot: clears its response times as well. */
  vacate(slot: number): void {
    this.clear(slot)
    for (let worker = 0; worker < this.workers; worker++) this.cells[this.startOf(worker) + this.slots + slot] = 0
  }

  /** Reverts the counts of a worker that has died. */
  forget(worker: number): void {
    const waits = this.part(worker, 0, 1)
    for (const [slot, count] of waits.entries()) if (count !== 0) waits[slot] = 0
  }

  private cell(at: number): number {
    return this.cells[at]!
  }

  /** The index of this worker's counts for that slice; starts the slice if necessary. */
  private at(slot: number, slice: number): number {
    const { counts } = this
    const at = slot * SLOT_CELLS + (slice & (SLICES - 1)) * SLICE
    if (counts[at] === slice) return at
    counts.fill(0, at, at + SLICE)
    counts[at] = slice
    return at
  }

  private startOf(worker: number): number {
    return worker * rowFor(this.slots)
  }

  private part(worker: number, from: number, size: number): Int32Array {
    const start = this.startOf(worker) + from * this.slots
    return this.cells.subarray(start, start + size * this.slots)
  }
}

/** Cells of one worker, rounded up to whole cache lines. */
function rowFor(slots: number): number {
  return Math.ceil((slots * (2 + SLOT_CELLS)) / LINE) * LINE
}
