/** Slices of a window, the one that it is included. A power of two. */
export const SLICES = 8
/** Cells of one of them: which one it is, and how many replies of each kind came in it. */
const SLICE = 4
const GOOD = 1
const ERRORS = 2
const UNAVAILABLE = 3
/** Of a slot: the last slices, in turn. */
const SLOT_CELLS = SLICES * SLICE
/** More replies than a worker has of an instance in one slice. */
const MANY = 2 ** 20
/** So much of the way down to a quicker reply goes what an instance takes at most. */
const EASE = 1 / 200
/** Counts lie at the beginning of a cache line: 64 octets. */
const LINE = 16

/** How requests ended that an instance was asked within a time. */
export interface Tally {
  good: number
  /** Replies with 500, and others of the class but 502 to 504: the request may be to blame. */
  errors: number
  /** No reply, or 502 to 504. */
  unavailable: number
}

/**
 * How the attempts ended that each instance was asked lately, how many wait for it, and how long it takes, in shared memory. Each worker
 * writes what it has seen itself, without locks, as nobody else does; whoever wants to know adds up what all have seen. What a worker has
 * counted that is gone is out of date by itself after a while.
 */
export class ReplyCounts {
  private readonly cells: Int32Array
  private readonly slots: number
  private readonly workers: number
  /** By slot, of this worker. */
  private readonly waits: Int32Array
  private readonly slowest: Int32Array
  private readonly counts: Int32Array

  /** Cells that the counts of so many slots and workers take. */
  static cellsFor(slots: number, workers: number): number {
    return workers * rowFor(slots)
  }

  /** On that part of the shared memory, as the worker of that number. */
  constructor(cells: Int32Array, slots: number, workers: number, worker: number) {
    this.cells = cells
    this.slots = slots
    this.workers = workers
    this.waits = this.part(worker, 0, 1)
    this.slowest = this.part(worker, 1, 1)
    this.counts = this.part(worker, 2, SLOT_CELLS)
  }

  /** A request waits for the instance to reply from now on. */
  waitBegins(slot: number): void {
    this.waits[slot]!++
  }

  /** It does not any more. */
  waitEnds(slot: number): void {
    this.waits[slot]!--
  }

  /** A reply took so many milliseconds: a slower one counts at once, a quicker one bit by bit. */
  took(slot: number, ms: number): void {
    const { slowest } = this
    const before = slowest[slot]!
    slowest[slot] = ms > before ? ms : before + (ms - before) * EASE
  }

  /** A reply that says nothing against the instance, in that slice of its window. */
  good(slot: number, slice: number): void {
    this.counts[this.at(slot, slice) + GOOD]!++
  }

  error(slot: number, slice: number): void {
    this.counts[this.at(slot, slice) + ERRORS]!++
  }

  unavailable(slot: number, slice: number): void {
    this.counts[this.at(slot, slice) + UNAVAILABLE]!++
  }

  /** What all workers have counted in that slice and those before it: in so many, the whole window unless fewer are wanted. */
  tally(slot: number, slice: number, slices = SLICES): Tally {
    const sum = { good: 0, errors: 0, unavailable: 0 }
    for (let worker = 0; worker < this.workers; worker++) {
      const start = this.startOf(worker) + 2 * this.slots + slot * SLOT_CELLS
      for (let at = start; at < start + SLOT_CELLS; at += SLICE) {
        const age = slice - this.cell(at)
        // Another worker may have got to the next slice already.
        if (age < -1 || age >= slices) continue
        sum.good += this.cell(at + GOOD)
        sum.errors += this.cell(at + ERRORS)
        sum.unavailable += this.cell(at + UNAVAILABLE)
      }
    }
    return sum
  }

  /** Requests of all workers that wait for it to reply. */
  waiting(slot: number): number {
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++) sum += this.cell(this.startOf(worker) + slot)
    return sum
  }

  /** How long its replies take at most, of the last few hundred, in milliseconds. */
  slowestOf(slot: number): number {
    let most = 0
    for (let worker = 0; worker < this.workers; worker++)
      most = Math.max(most, this.cell(this.startOf(worker) + this.slots + slot))
    return most
  }

  /** Another number after every reply, to be compared for equality only. */
  heard(slot: number): number {
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++) {
      const start = this.startOf(worker) + 2 * this.slots + slot * SLOT_CELLS
      for (let at = start; at < start + SLOT_CELLS; at += SLICE)
        sum += this.cell(at + GOOD) + this.cell(at + ERRORS) + this.cell(at) * MANY
    }
    return sum
  }

  /** Nothing is known of how the instance replied; of what workers count at this moment something may be lost. */
  clear(slot: number): void {
    for (let worker = 0; worker < this.workers; worker++) {
      const start = this.startOf(worker) + 2 * this.slots + slot * SLOT_CELLS
      this.cells.fill(0, start, start + SLOT_CELLS)
    }
  }

  /** Another instance has the slot: nothing is known of how long its replies take either. */
  vacate(slot: number): void {
    this.clear(slot)
    for (let worker = 0; worker < this.workers; worker++) this.cells[this.startOf(worker) + this.slots + slot] = 0
  }

  /** Takes back what a worker has left that is gone. */
  forget(worker: number): void {
    const waits = this.part(worker, 0, 1)
    for (const [slot, count] of waits.entries()) if (count !== 0) waits[slot] = 0
  }

  private cell(at: number): number {
    return this.cells[at]!
  }

  /** Where this worker counts for that slice; begins it where it has not. */
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

/** Cells of one worker, in whole cache lines. */
function rowFor(slots: number): number {
  return Math.ceil((slots * (2 + SLOT_CELLS)) / LINE) * LINE
}
