/** What is known of an instance; 'unknown' until its first check. */
export type HealthState = 'unknown' | 'healthy' | 'unhealthy'

const STATES: readonly HealthState[] = ['unknown', 'healthy', 'unhealthy']
const UNHEALTHY = STATES.indexOf('unhealthy')
const VERSION = 0
const FIRST_SLOT = 1

/**
 * The state of every instance in shared memory: the main thread writes it, every worker reads it.
 * Readers look at `version` first and at the slots only when it moved.
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

  /** A board of that many slots, all 'unknown'; a reload cannot have more instances than that. */
  static create(slots = 4096): HealthBoard {
    return new HealthBoard(new SharedArrayBuffer((FIRST_SLOT + slots) * Int32Array.BYTES_PER_ELEMENT))
  }

  /** Number of slots. */
  get size(): number {
    return this.cells.length - FIRST_SLOT
  }

  /** Another number after every change, to be compared for equality only. */
  get version(): number {
    return Atomics.load(this.cells, VERSION)
  }

  state(slot: number): HealthState {
    return STATES[Atomics.load(this.cells, FIRST_SLOT + slot)]!
  }

  /** Whether requests may go there: an instance is trusted until a check says otherwise. */
  usable(slot: number): boolean {
    return Atomics.load(this.cells, FIRST_SLOT + slot) !== UNHEALTHY
  }

  /** Writes a state; the version moves only when it is another one. */
  set(slot: number, state: HealthState): void {
    const value = STATES.indexOf(state)
    if (Atomics.exchange(this.cells, FIRST_SLOT + slot, value) !== value) Atomics.add(this.cells, VERSION, 1)
  }
}
