/** Halves of a window that are kept: the one that it is and the one before. */
const HALVES = 2

/**
 * Counts of several kinds by slot, within the last while, in shared memory. Each worker writes its own, without locks, as nobody else does;
 * whoever wants to know adds up what all have counted in the half of the window that it is and in the one before. What a worker has counted that is
 * gone is out of date by itself after a while.
 */
export class WindowCounts {
  private readonly cells: Int32Array
  private readonly own: Int32Array
  private readonly slots: number
  private readonly workers: number
  /** Cells of one half: which one it is, and a count of each kind. */
  private readonly size: number

  /** Cells of one worker that so many kinds take. */
  static cellsFor(slots: number, kinds: number): number {
    return slots * HALVES * (kinds + 1)
  }

  /** On that part of the shared memory, where the cells of each worker follow those of the one before. */
  constructor(cells: Int32Array, slots: number, kinds: number, workers: number, worker: number) {
    this.cells = cells
    this.slots = slots
    this.workers = workers
    this.size = kinds + 1
    const start = this.startOf(worker)
    this.own = cells.subarray(start, start + WindowCounts.cellsFor(slots, kinds))
  }

  /** Counts one more of that kind, from 0. */
  add(slot: number, half: number, kind: number): void {
    const { own, size } = this
    const at = (slot * HALVES + (half & 1)) * size
    if (own[at] !== half) {
      own.fill(0, at, at + size)
      own[at] = half
    }
    own[at + 1 + kind]!++
  }

  /** How many of that kind all workers have counted in that half and the one before. */
  sum(slot: number, half: number, kind: number): number {
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++)
      for (let i = 0; i < HALVES; i++) {
        const at = this.at(worker, slot, i)
        const age = half - this.cells[at]!
        // Another worker may have got to the next half already.
        if (age >= -1 && age <= 1) sum += this.cells[at + 1 + kind]!
      }
    return sum
  }

  private at(worker: number, slot: number, half: number): number {
    return this.startOf(worker) + (slot * HALVES + half) * this.size
  }

  private startOf(worker: number): number {
    return worker * this.slots * HALVES * this.size
  }
}
