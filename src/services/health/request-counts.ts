/** Counts lie at the beginning of a cache line, so that nobody else's writes disturb them: 64 octets. */
const LINE = 16

/**
 * How many requests each instance was picked for that are not over, in shared memory: all workers count, and see the sums of all.
 * Besides the sums each worker keeps what it has added to them, so that it can be taken back when the worker is gone.
 */
export class RequestCounts {
  /** By slot, of all workers: side by side, as picking looks at many of them. */
  private readonly sums: Int32Array
  /** By slot, of this worker alone. */
  private readonly own: Int32Array
  private readonly cells: Int32Array
  private readonly slots: number

  /** Cells that the counts of so many slots and workers take. */
  static cellsFor(slots: number, workers: number): number {
    return rowOf(slots) * (workers + 1)
  }

  /** On that part of the shared memory, as the worker of that number. */
  constructor(cells: Int32Array, slots: number, worker: number) {
    this.cells = cells
    this.slots = slots
    this.sums = cells.subarray(0, slots)
    this.own = this.rowOf(worker)
  }

  /** Requests of all workers; what others have just begun may be missing. */
  of(slot: number): number {
    // An atomic look costs several times as much, and would be just as old by the time that the request is there.
    return this.sums[slot]!
  }

  /** The instance was picked for a request. */
  begin(slot: number): void {
    // A thread that is ended is not ended between these two: it would be where a function begins, or a loop goes on.
    this.own[slot]!++
    Atomics.add(this.sums, slot, 1)
  }

  /** That request is over, or goes elsewhere. */
  end(slot: number): void {
    this.own[slot]!--
    Atomics.sub(this.sums, slot, 1)
  }

  /** Takes back what a worker has left that is gone. */
  forget(worker: number): void {
    const row = this.rowOf(worker)
    for (const [slot, count] of row.entries()) {
      if (count === 0) continue
      Atomics.sub(this.sums, slot, count)
      row[slot] = 0
    }
  }

  private rowOf(worker: number): Int32Array {
    const start = rowOf(this.slots) * (worker + 1)
    return this.cells.subarray(start, start + this.slots)
  }
}

/** Cells of whole cache lines. */
function rowOf(slots: number): number {
  return Math.ceil(slots / LINE) * LINE
}
