import { bucketOf, DURATION_BUCKETS, valueAt } from '../duration-buckets.ts'

/** Number of cells needed for the durations of one window. */
export const DURATION_CELLS = DURATION_BUCKETS

/** Durations within one time window, in shared memory: any thread adds, one thread takes them out. */
export class Durations {
  private readonly cells: Int32Array
  private readonly taken: Int32Array

  /** The number of shared memory cells must be DURATION_CELLS. */
  constructor(cells: Int32Array) {
    this.cells = cells
    this.taken = new Int32Array(DURATION_CELLS)
  }

  /** Adds a duration in milliseconds. */
  add(ms: number): void {
    Atomics.add(this.cells, bucketOf(ms), 1)
  }

  /** Number of durations; other threads may be adding concurrently. */
  get count(): number {
    let sum = 0
    for (let i = 0; i < DURATION_CELLS; i++) sum += this.cells[i]!
    return sum
  }

  /** Removes all durations and returns their median in milliseconds; 0 if there were none. */
  takeMedian(): number {
    const { cells, taken } = this
    let sum = 0
    for (let i = 0; i < DURATION_CELLS; i++) sum += taken[i] = cells[i] === 0 ? 0 : Atomics.exchange(cells, i, 0)
    let below = 0
    for (let i = 0; i < DURATION_CELLS; i++) {
      const here = taken[i]!
      if (below + here > sum / 2) return valueAt(i, (sum / 2 - below) / here)
      below += here
    }
    return 0
  }
}
