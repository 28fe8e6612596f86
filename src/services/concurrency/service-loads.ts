import { createHash } from 'node:crypto'
import { RequestCounts } from '../health/request-counts.ts'
import { WindowCounts } from '../health/window-counts.ts'
import { BUDGET_KINDS } from '../retry/retry-budget.ts'
import { DURATION_CELLS } from './durations.ts'
import { ESTIMATE_CELLS } from './estimate.ts'

/** 32-bit cells per service: its name, counters, its estimate (at an even index), and its durations. */
const NAME = 0
const COUNTERS = 2
const COUNTER_CELLS = 14
const ESTIMATE = 16
const DURATIONS = ESTIMATE + ESTIMATE_CELLS * 2
const SLOT_CELLS = Math.ceil((DURATIONS + DURATION_CELLS) / 16) * 16
/** One place per this many instance slots; memory that is never written to is not allocated. */
const INSTANCES = 4
const MIN_SLOTS = 16

/** The state of one service that all workers share. */
export interface ServiceLoad {
  readonly counters: Int32Array
  readonly estimate: Float64Array
  readonly durations: Int32Array
  /** In-flight requests, counted individually at `slot`. */
  readonly requests: RequestCounts
  /** Requests, and how many were retried or hedged, at `slot`. */
  readonly retries: WindowCounts
  readonly slot: number
}

/**
 * The load of each service, in shared memory. A service is found by its name and keeps its place for the lifetime of the process, so its
 * state survives reloads without a table of places having to be passed around.
 */
export class ServiceLoads {
  /** For services with a fixed limit. */
  readonly requests: RequestCounts
  private readonly retries: WindowCounts
  private readonly cells: Int32Array
  private readonly slots: number

  /** Number of cells that services need for this many instances and workers; a multiple of a cache line. */
  static cellsFor(instances: number, workers: number): number {
    const slots = slotsFor(instances)
    return slots * SLOT_CELLS + RequestCounts.cellsFor(slots, workers)
  }

  /** Number of places for services, given the number of instances. */
  static placesFor(instances: number): number {
    return slotsFor(instances)
  }

  /** Uses that part of the shared memory, as the worker with that number; `retries` has a slot for each place. */
  constructor(cells: Int32Array, instances: number, worker: number, retries: WindowCounts) {
    this.slots = slotsFor(instances)
    this.cells = cells
    this.retries = retries
    this.requests = new RequestCounts(cells.subarray(this.slots * SLOT_CELLS), this.slots, worker)
  }

  /**
   * Finds or claims the place of a service. If none is left, returns a place private to this worker, which then has its own limit and
   * budgets.
   */
  of(service: string): ServiceLoad {
    const slot = this.find(service)
    if (slot === null) return alone()
    const cells = this.cells.subarray(slot * SLOT_CELLS, (slot + 1) * SLOT_CELLS)
    return { ...loadOn(cells), requests: this.requests, retries: this.retries, slot }
  }

  /** Reverts the counts of a worker that has died. */
  forget(worker: number): void {
    this.requests.forget(worker)
  }

  private find(service: string): number | null {
    const digest = createHash('sha256').update(service).digest()
    // Never 0, which marks a free place.
    const [first, second] = [digest.readInt32LE(0) | 1, digest.readInt32LE(4) | 1]
    const start = digest.readUInt32LE(8) % this.slots
    for (let i = 0; i < this.slots; i++) {
      const slot = (start + i) % this.slots
      const at = slot * SLOT_CELLS + NAME
      const owner = Atomics.compareExchange(this.cells, at, 0, first)
      if (owner !== 0 && owner !== first) continue
      // The first worker to claim the place may not have written the second half yet: all claimants for the same name write the same value;
      // otherwise the place belongs to another service.
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
  return Math.max(MIN_SLOTS, Math.ceil(instances / INSTANCES))
}
