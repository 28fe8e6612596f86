/**
 * What is known of an instance. Until its first check one is 'unknown' with which the process began, and trusted; one that a
 * reload adds is 'pending', and gets no requests.
 */
export const healthStates = ['unknown', 'healthy', 'unhealthy', 'pending'] as const

export type HealthState = (typeof healthStates)[number]

const UNHEALTHY = healthStates.indexOf('unhealthy')
const VERSION = 0
const OUTDATED = 1
const FIRST_SLOT = 2
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
 */
export class HealthBoard {
  /** What to post to another thread, which opens it with the constructor. */
  readonly buffer: SharedArrayBuffer
  private readonly cells: Int32Array

  /** Opens a board made by `create`. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.cells = new Int32Array(buffer)
  }

  /** A board with a slot for each of so many instances, all 'unknown', and three more each for those that come later. */
  static for(instances: number): HealthBoard {
    return HealthBoard.create(Math.max(LEAST_SLOTS, instances * 4))
  }

  /** A board of that many slots, all 'unknown'. */
  static create(slots: number): HealthBoard {
    return new HealthBoard(new SharedArrayBuffer((FIRST_SLOT + slots * SLOT_CELLS) * Int32Array.BYTES_PER_ELEMENT))
  }

  /** Number of slots. */
  get size(): number {
    return (this.cells.length - FIRST_SLOT) / SLOT_CELLS
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
    return healthStates[Atomics.load(this.cells, cellOf(slot))]!
  }

  /** Whether an operator has taken the instance out, whatever its checks say. */
  drained(slot: number): boolean {
    return Atomics.load(this.cells, cellOf(slot) + DRAINED) === 1
  }

  /** Whether new requests may go there. */
  usable(slot: number): boolean {
    return Atomics.load(this.cells, cellOf(slot)) < UNHEALTHY && !this.drained(slot)
  }

  /** Writes a state; the version moves only when it is another one. */
  set(slot: number, state: HealthState): void {
    this.write(cellOf(slot), healthStates.indexOf(state))
  }

  /** Takes an instance out, or back; the version moves only when that changes something. */
  drain(slot: number, drained: boolean): void {
    this.write(cellOf(slot) + DRAINED, Number(drained))
  }

  private write(cell: number, value: number): void {
    if (Atomics.exchange(this.cells, cell, value) !== value) Atomics.add(this.cells, VERSION, 1)
  }
}

function cellOf(slot: number): number {
  return FIRST_SLOT + slot * SLOT_CELLS
}
