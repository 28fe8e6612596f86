/** Number of halves of a window that are kept: the current one and the previous one. */
const HALVES = 2

/**
 * Sliding-window counts of several kinds per slot, in shared memory. Each worker writes only its own cells, so no locks are needed; readers
 * add up what all workers have counted in the current and the previous half. The counts of a dead worker expire by themselves.
 */
export class WindowCounts {
  private readonly cells: Int32Array
  private readonly own: Int32Array
  private readonly slots: number
  private readonly workers: number
  /** Cells per half: its number, and a count of each kind. */
  private readonly size: number

  /** Number of cells per worker for that many kinds. */
  static cellsFor(slots: number, kinds: number): number {
    return slots * HALVES * (kinds + 1)
  }

  /** Uses that part of the shared memory, in which the cells of the workers follow one another. */
  constructor(cells: Int32Array, slots: number, kinds: number, workers: number, worker: number) {
    this.cells = cells
    this.slots = slots
    this.workers = workers
    this.size = kinds + 1
    const start = this.startOf(worker)
    this.own = cells.subarray(start, start + WindowCounts.cellsFor(slots, kinds))
  }

  /** Increments the count of a kind, numbered from 0. */
  add(slot: number, half: number, kind: number): void {
    const { own, size } = this
    const at = (slot * HALVES + (half & 1)) * size
    if (own[at] !== half) {
      own.fill(0, at, at + size)
      own[at] = half
    }
    own[at + 1 + kind]!++
  }

  /** The total of all workers for that kind in the given half and the previous one. */
  sum(slot: number, half: number, kind: number): number {
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++)
      for (let i = 0; i < HALVES; i++) {
        const at = this.at(worker, slot, i)
        const age = half - this.cells[at]!
        // Another worker may already have moved on to the next half.
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
