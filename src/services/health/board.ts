import { ServiceLoads } from '../concurrency/service-loads.ts'
import { Ejections } from './ejections.ts'
import { ReplyCounts } from './reply-counts.ts'
import { RequestCounts } from './request-counts.ts'
import { BUDGET_KINDS } from '../retry/retry-budget.ts'
import { WindowCounts } from './window-counts.ts'

/**
 * Health state of an instance. Before their first check, instances present at process start are 'unknown' and trusted; instances added by a
 * reload are 'pending' and get no requests.
 */
export const healthStates = ['unknown', 'healthy', 'unhealthy', 'pending'] as const

export type HealthState = (typeof healthStates)[number]

const UNHEALTHY = healthStates.indexOf('unhealthy')
const VERSION = 0
const OUTDATED = 1
const SLOTS = 2
const WORKERS = 3
/** Lock held by the thread that is about to eject an instance. */
const LOCK = 4
/** The cells above occupy one cache line of 64 bytes. */
const FIRST_SLOT = 16
/** Cells per slot: its state, and whether it is drained. */
const SLOT_CELLS = 2
const DRAINED = 1
/**
 * Number of slots of the smallest board. Shared memory cannot grow, and pages never written to are not allocated, so there is room for
 * everything reloads may add.
 */
const MIN_SLOTS = 65_536

/**
 * The shared-memory state of every instance: its health, whether an operator has drained it, and also whether the gateway runs an older
 * configuration than the file. The main thread writes, every worker reads. Readers check `version` first and look at the slots only if it
 * has changed. The same buffer holds each instance's request and outcome counts, which the workers maintain, the ejected instances, and the
 * load of each service.
 */
export class HealthBoard {
  /** To be posted to other threads, which open it with the constructor. */
  readonly buffer: SharedArrayBuffer
  /** In-flight requests of instances, by slot. */
  readonly requests: RequestCounts
  /** The load of each service, by name. */
  readonly loads: ServiceLoads
  /** Outcomes of recent requests. */
  readonly replies: ReplyCounts
  /** Instances that temporarily get no requests because they failed. */
  readonly ejections: Ejections
  /** Number of the owning worker; 0 if there is only one thread. */
  readonly worker: number
  private readonly cells: Int32Array

  /** Opens a board made by `create` for the worker with that number, which counts its requests there. */
  constructor(buffer: SharedArrayBuffer, worker = 0) {
    this.buffer = buffer
    this.cells = new Int32Array(buffer)
    this.worker = worker
    const { cells, size } = this
    const workers = cells[WORKERS]!
    const at = layout(size, workers)
    this.requests = new RequestCounts(cells.subarray(at.requests, at.loads), size, worker)
    this.replies = new ReplyCounts(cells.subarray(at.replies, at.retries), size, workers, worker)
    const places = ServiceLoads.placesFor(size)
    const retries = new WindowCounts(cells.subarray(at.retries, at.ejections), places, BUDGET_KINDS, workers, worker)
    this.loads = new ServiceLoads(cells.subarray(at.loads, at.replies), size, worker, retries)
    this.ejections = new Ejections(cells.subarray(at.ejections, at.end), cells.subarray(LOCK, LOCK + 1), () =>
      this.move(),
    )
  }

  /**
   * Creates a board with a slot for each of this many instances, plus three more per instance for later additions. All are 'unknown'.
   * `workers` is the number of workers that count requests on it.
   */
  static for(instances: number, workers: number): HealthBoard {
    return HealthBoard.create(Math.max(MIN_SLOTS, instances * 4), workers)
  }

  /** Creates a board with that many slots, all 'unknown'. */
  static create(slots: number, workers = 1): HealthBoard {
    const cells = layout(slots, workers).end
    const buffer = new SharedArrayBuffer(cells * Int32Array.BYTES_PER_ELEMENT)
    const header = new Int32Array(buffer)
    header[SLOTS] = slots
    header[WORKERS] = workers
    return new HealthBoard(buffer)
  }

  /** Number of slots. */
  get size(): number {
    return Atomics.load(this.cells, SLOTS)
  }

  /** Changes with every update; compare for equality only. */
  get version(): number {
    return Atomics.load(this.cells, VERSION)
  }

  /** Whether the gateway was started with the last known good configuration because the current one was rejected. */
  get outdated(): boolean {
    return Atomics.load(this.cells, OUTDATED) === 1
  }

  set outdated(outdated: boolean) {
    this.write(OUTDATED, Number(outdated))
  }

  state(slot: number): HealthState {
    return healthStates[Atomics.load(this.cells, cellOf(slot))] ?? 'unknown'
  }

  /** Whether an operator has drained the instance, whatever its checks say. */
  drained(slot: number): boolean {
    return Atomics.load(this.cells, cellOf(slot) + DRAINED) === 1
  }

  /** Whether nothing is known against the instance, so that requests bound to it may be sent there. */
  isUsable(slot: number): boolean {
    return this.passes(slot) && !this.ejections.isEjected(slot)
  }

  /** Whether the instance gets new requests. */
  usable(slot: number): boolean {
    return this.isUsable(slot) && !this.drained(slot)
  }

  /** Whether it may be used if there are no other instances: at worst it is ejected. */
  fit(slot: number): boolean {
    return this.passes(slot) && !this.drained(slot)
  }

  /** Sets the state; the version changes only if the state does. */
  set(slot: number, state: HealthState): void {
    this.write(cellOf(slot), healthStates.indexOf(state))
  }

  /** Drains or undrains an instance; the version changes only if that makes a difference. */
  drain(slot: number, drained: boolean): void {
    this.write(cellOf(slot) + DRAINED, Number(drained))
  }

  /** Resets the slot, so that its next owner inherits nothing. */
  vacate(slot: number, state: HealthState): void {
    this.set(slot, state)
    this.drain(slot, false)
    this.ejections.clear(slot)
    this.replies.vacate(slot)
  }

  /** Reverts the counts of a worker that has died. */
  forget(worker: number): void {
    this.requests.forget(worker)
    this.loads.forget(worker)
    this.replies.forget(worker)
    this.ejections.forget(worker)
  }

  /** Whether its checks allow requests. */
  private passes(slot: number): boolean {
    return Atomics.load(this.cells, cellOf(slot)) < UNHEALTHY
  }

  private write(cell: number, value: number): void {
    if (Atomics.exchange(this.cells, cell, value) !== value) this.move()
  }

  private move(): void {
    Atomics.add(this.cells, VERSION, 1)
  }
}

/** The offset of each part of a board, all aligned to cache lines, and the end of the last one. */
function layout(slots: number, workers: number) {
  const requests = lineAfter(cellOf(slots))
  const loads = lineAfter(requests + RequestCounts.cellsFor(slots, workers))
  const replies = lineAfter(loads + ServiceLoads.cellsFor(slots, workers))
  const retries = lineAfter(replies + ReplyCounts.cellsFor(slots, workers))
  const counted = WindowCounts.cellsFor(ServiceLoads.placesFor(slots), BUDGET_KINDS)
  const ejections = lineAfter(retries + workers * counted)
  return { requests, loads, replies, retries, ejections, end: ejections + Ejections.cellsFor(slots) }
}

function lineAfter(cell: number): number {
  return Math.ceil(cell / FIRST_SLOT) * FIRST_SLOT
}

function cellOf(slot: number): number {
  return FIRST_SLOT + slot * SLOT_CELLS
}
