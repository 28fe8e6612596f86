import { createHash } from 'node:crypto'
import { RequestCounts } from '../health/request-counts.ts'
import { WindowCounts } from '../health/window-counts.ts'
import { BUDGET_KINDS } from '../retry/retry-budget.ts'
import { DURATION_CELLS } from './durations.ts'
import { ESTIMATE_CELLS } from './estimate.ts'

/** Cells of 32 bits that a service takes: its name, what is counted, its estimate at an even place, and its durations. */
const NAME = 0
const COUNTERS = 2
const COUNTER_CELLS = 14
const ESTIMATE = 16
const DURATIONS = ESTIMATE + ESTIMATE_CELLS * 2
const SLOT_CELLS = Math.ceil((DURATIONS + DURATION_CELLS) / 16) * 16
/** There is one for every so many instances that there is room for: what nobody has written to takes no memory. */
const INSTANCES = 4
const LEAST_SLOTS = 16

/** What all workers share of one service. */
export interface ServiceLoad {
  readonly counters: Int32Array
  readonly estimate: Float64Array
  readonly durations: Int32Array
  /** Requests in flight that are counted one by one, at `slot`. */
  readonly requests: RequestCounts
  /** Requests, and how many were sent again or to two instances at once, at `slot`. */
  readonly retries: WindowCounts
  readonly slot: number
}

/**
 * What each service has to do, in shared memory. A service is found by its name, and keeps its place for as long as the process
 * lives: what is known of it survives reloads, and none has to say who is where.
 */
export class ServiceLoads {
  /** Of services whose limit is a number. */
  readonly requests: RequestCounts
  private readonly retries: WindowCounts
  private readonly cells: Int32Array
  private readonly slots: number

  /** Cells that the services take beside so many instances and workers; on a whole number of cache lines. */
  static cellsFor(instances: number, workers: number): number {
    const slots = slotsFor(instances)
    return slots * SLOT_CELLS + RequestCounts.cellsFor(slots, workers)
  }

  /** How many services have a place of their own beside so many instances. */
  static placesFor(instances: number): number {
    return slotsFor(instances)
  }

  /** On that part of the shared memory, as the worker of that number; `retries` has a slot for each place. */
  constructor(cells: Int32Array, instances: number, worker: number, retries: WindowCounts) {
    this.slots = slotsFor(instances)
    this.cells = cells
    this.retries = retries
    this.requests = new RequestCounts(cells.subarray(this.slots * SLOT_CELLS), this.slots, worker)
  }

  /** The place of a service. Where none is left it is one that nobody else knows: the worker has a limit and budgets of its own then. */
  of(service: string): ServiceLoad {
    const slot = this.find(service)
    if (slot === null) return alone()
    const cells = this.cells.subarray(slot * SLOT_CELLS, (slot + 1) * SLOT_CELLS)
    return { ...loadOn(cells), requests: this.requests, retries: this.retries, slot }
  }

  /** Takes back what a worker has left that is gone. */
  forget(worker: number): void {
    this.requests.forget(worker)
  }

  private find(service: string): number | null {
    const digest = createHash('sha256').update(service).digest()
    // Never 0, which is a place that nobody has.
    const [first, second] = [digest.readInt32LE(0) | 1, digest.readInt32LE(4) | 1]
    const start = digest.readUInt32LE(8) % this.slots
    for (let i = 0; i < this.slots; i++) {
      const slot = (start + i) % this.slots
      const at = slot * SLOT_CELLS + NAME
      const owner = Atomics.compareExchange(this.cells, at, 0, first)
      if (owner !== 0 && owner !== first) continue
      // Whoever came first may not have written the second half yet: all that come write the same, or are someone else.
      const other = Atomics.compareExchange(this.cells, at + 1, 0, second)
      if (other === 0 || other === second) return slot
    }
    return null
  }
}

function loadOn(cells: Int32Array): Pick<ServiceLoad, 'counters' | 'estimate' | 'durations'> {
  const { buffer, byteOffset } = cells
  return {
    counters: cells.subarray(COUNTERS, COUNTERS + COUNTER_CELLS),
    estimate: new Float64Array(buffer, byteOffset + ESTIMATE * 4, ESTIMATE_CELLS),
    durations: cells.subarray(DURATIONS, DURATIONS + DURATION_CELLS),
  }
}

function ownCells(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT))
}

function alone(): ServiceLoad {
  const requests = new RequestCounts(ownCells(RequestCounts.cellsFor(1, 1)), 1, 0)
  const retries = new WindowCounts(ownCells(WindowCounts.cellsFor(1, BUDGET_KINDS)), 1, BUDGET_KINDS, 1, 0)
  return { ...loadOn(ownCells(SLOT_CELLS)), requests, retries, slot: 0 }
}

function slotsFor(instances: number): number {
  return Math.max(LEAST_SLOTS, Math.ceil(instances / INSTANCES))
}
