import { ServiceLoads } from '../concurrency/service-loads.ts'
import { Ejections } from './ejections.ts'
import { ReplyCounts } from './reply-counts.ts'
import { RequestCounts } from './request-counts.ts'
import { BUDGET_KINDS } from '../retry/retry-budget.ts'
import { WindowCounts } from './window-counts.ts'

/**
 * What is known of an instance. Until its first check one is 'unknown' with which the process began, and trusted; one that a
 * reload adds is 'pending', and gets no requests.
 */
export const healthStates = ['unknown', 'healthy', 'unhealthy', 'pending'] as const

export type HealthState = (typeof healthStates)[number]

const UNHEALTHY = healthStates.indexOf('unhealthy')
const VERSION = 0
const OUTDATED = 1
const SLOTS = 2
const WORKERS = 3
/** Whoever is about to eject an instance. */
const LOCK = 4
/** After a cache line of 64 octets for the cells above. */
const FIRST_SLOT = 16
/** Cells of a slot: its state, and whether it is drained. */
const SLOT_CELLS = 2
const DRAINED = 1
/**
 * Slots of the smallest board. What threads hold cannot grow, and what nobody has written to takes no memory: there is room
 * for all that reloads may bring.
 */
const LEAST_SLOTS = 65_536

/**
 * The state of every instance in shared memory, whether an operator has drained it, and whether the gateway goes by an older
 * configuration than the file's: the main thread writes, every worker reads. Readers look at `version` first and at the slots only when it moved.
 * Beside it lies how many requests each instance has and how they end, which the workers count, which instances are ejected for it, and
 * what each service has to do.
 */
export class HealthBoard {
  /** What to post to another thread, which opens it with the constructor. */
  readonly buffer: SharedArrayBuffer
  /** Requests that instances have, by their slots. */
  readonly requests: RequestCounts
  /** What each service has to do, by its name. */
  readonly loads: ServiceLoads
  /** How those ended that they were asked lately. */
  readonly replies: ReplyCounts
  /** Instances that get no requests for a while, as they failed. */
  readonly ejections: Ejections
  /** Number of the worker whose it is; 0 where there is one thread only. */
  readonly worker: number
  private readonly cells: Int32Array

  /** Opens a board made by `create`, for the worker of that number, who counts its requests there. */
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
   * A board with a slot for each of so many instances, all 'unknown', and three more each for those that come later; so many
   * workers count requests on it.
   */
  static for(instances: number, workers: number): HealthBoard {
    return HealthBoard.create(Math.max(LEAST_SLOTS, instances * 4), workers)
  }

  /** A board of that many slots, all 'unknown'. */
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

  /** Another number after every change, to be compared for equality only. */
  get version(): number {
    return Atomics.load(this.cells, VERSION)
  }

  /** Whether the gateway was started with the last good configuration in place of one that was refused. */
  get outdated(): boolean {
    return Atomics.load(this.cells, OUTDATED) === 1
  }

  set outdated(outdated: boolean) {
    this.write(OUTDATED, Number(outdated))
  }

  state(slot: number): HealthState {
    return healthStates[Atomics.load(this.cells, cellOf(slot))] ?? 'unknown'
  }

  /** Whether an operator has taken the instance out, whatever its checks say. */
  drained(slot: number): boolean {
    return Atomics.load(this.cells, cellOf(slot) + DRAINED) === 1
  }

  /** Whether nothing is known against it: requests may go there that belong there. */
  sound(slot: number): boolean {
    return this.passes(slot) && !this.ejections.holds(slot)
  }

  /** Whether it gets new requests. */
  usable(slot: number): boolean {
    return this.sound(slot) && !this.drained(slot)
  }

  /** Whether they may go there if there is no other: it is ejected, if anything. */
  fit(slot: number): boolean {
    return this.passes(slot) && !this.drained(slot)
  }

  /** Writes a state; the version moves only when it is another one. */
  set(slot: number, state: HealthState): void {
    this.write(cellOf(slot), healthStates.indexOf(state))
  }

  /** Takes an instance out, or back; the version moves only when that changes something. */
  drain(slot: number, drained: boolean): void {
    this.write(cellOf(slot) + DRAINED, Number(drained))
  }

  /** Whoever takes the slot knows nothing of what was there before. */
  vacate(slot: number, state: HealthState): void {
    this.set(slot, state)
    this.drain(slot, false)
    this.ejections.clear(slot)
    this.replies.vacate(slot)
  }

  /** Takes back what a worker has left that is gone. */
  forget(worker: number): void {
    this.requests.forget(worker)
    this.loads.forget(worker)
    this.replies.forget(worker)
    this.ejections.forget(worker)
  }

  /** Its checks say nothing against it. */
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

/** Where each part of a board begins, all at the beginning of a cache line, and where the last one ends. */
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
