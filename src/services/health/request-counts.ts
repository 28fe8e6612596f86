/** Rows are aligned to cache lines of 64 bytes, to avoid false sharing. */
const LINE = 16

/**
 * In-flight requests per instance, in shared memory: every worker counts, and sees the sums of all workers. Each worker also records its
 * own contribution, so that it can be reverted when the worker dies.
 */
export class RequestCounts {
  /** By slot, across all workers; adjacent, as picking reads many of them. */
  private readonly sums: Int32Array
  /** By slot, for this worker only. */
  private readonly own: Int32Array
  private readonly cells: Int32Array
  private readonly slots: number

  /** Number of cells for that many slots and workers. */
  static cellsFor(slots: number, workers: number): number {
    return rowOf(slots) * (workers + 1)
  }

  /** Uses that part of the shared memory, as the worker with that number. */
  constructor(cells: Int32Array, slots: number, worker: number) {
    this.cells = cells
    this.slots = slots
    this.sums = cells.subarray(0, slots)
    this.own = this.rowOf(worker)
  }

  /** In-flight requests across all workers; very recent changes by others may be missing. */
  of(slot: number): number {
    // An atomic load costs several times as much, and its value would be just as outdated by the time the request arrives.
    return this.sums[slot]!
  }

  /** The instance was picked for a request. */
  begin(slot: number): void {
    // V8 terminates a thread only at function entries and loop iterations, so never between these two statements.
    this.own[slot]!++
    Atomics.add(this.sums, slot, 1)
  }

  /** The request has ended or goes to another instance. */
  end(slot: number): void {
    this.own[slot]!--
    Atomics.sub(this.sums, slot, 1)
  }

  /** Reverts the counts of a worker that has died. */
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

/** Cells of one row, rounded up to whole cache lines. */
function rowOf(slots: number): number {
  return Math.ceil(slots / LINE) * LINE
}
