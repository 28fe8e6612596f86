import { bucketOf, DURATION_BUCKETS, valueAt } from '../duration-buckets.ts'

/** Cells that the durations of one window take. */
export const DURATION_CELLS = DURATION_BUCKETS

/** How long things took within a window of time, in shared memory: any thread adds, and one takes them out. */
export class Durations {
  private readonly cells: Int32Array
  private readonly taken: Int32Array

  /** On so many cells of shared memory as DURATION_CELLS says. */
  constructor(cells: Int32Array) {
    this.cells = cells
    this.taken = new Int32Array(DURATION_CELLS)
  }

  /** One took so many milliseconds. */
  add(ms: number): void {
    Atomics.add(this.cells, bucketOf(ms), 1)
  }

  /** How many there are; others may be adding. */
  get count(): number {
    let sum = 0
    for (let i = 0; i < DURATION_CELLS; i++) sum += this.cells[i]!
    return sum
  }

  /** The median, in milliseconds, of those that are there, which are gone then; 0 where there are none. */
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
