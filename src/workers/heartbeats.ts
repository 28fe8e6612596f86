import type { Clock } from '../core/clock.ts'

/** Number of beats within the time after which a worker counts as stuck. */
const BEATS = 20
/** Maximum interval between the main thread's checks, in milliseconds. */
const LOOK = 1_000
/** A check that is this late, in milliseconds, means that the process was suspended or had no CPU. */
const STANDSTILL = 500

/** Starts the heartbeat of a worker: its number in shared memory changes for as long as its event loop runs. */
export function beat(memory: SharedArrayBuffer, worker: number, bound: number, clock: Clock): void {
  if (bound === 0) return
  const beats = new Int32Array(memory)
  clock.every(bound / BEATS, () => void Atomics.add(beats, worker, 1))
}

interface Watched {
  count: number
  /** When it was last seen to change. */
  since: number
}

/**
 * Detects workers whose event loops are blocked, through numbers in shared memory: asking a worker would mean waiting for it. Time during
 * which the main thread itself was suspended does not count.
 */
export class Heartbeats {
  readonly memory: SharedArrayBuffer
  private readonly beats: Int32Array
  private readonly watched = new Map<number, Watched>()
  private readonly bound: number
  private readonly clock: Clock
  private readonly stuck: (worker: number, blocked: number) => void
  private readonly look: number
  private last: number
  private readonly stop: () => void

  /** `bound` in milliseconds, 0 to disable detection. `stuck` is called once per worker, with the number of milliseconds it was blocked. */
  constructor(workers: number, bound: number, clock: Clock, stuck: (worker: number, blocked: number) => void) {
    this.memory = new SharedArrayBuffer(workers * Int32Array.BYTES_PER_ELEMENT)
    this.beats = new Int32Array(this.memory)
    this.bound = bound
    this.clock = clock
    this.stuck = stuck
    this.look = Math.min(LOOK, bound / 2)
    this.last = clock.now()
    this.stop = bound === 0 ? () => {} : clock.every(this.look, () => this.check())
  }

  watch(worker: number): void {
    this.watched.set(worker, { count: this.beats[worker] ?? 0, since: this.clock.now() })
  }

  forget(worker: number): void {
    this.watched.delete(worker)
  }

  close(): void {
    this.stop()
  }

  private check(): void {
    const now = this.clock.now()
    const late = now - this.last - this.look > STANDSTILL
    this.last = now
    for (const [worker, watched] of this.watched) {
      const count = Atomics.load(this.beats, worker)
      if (late || count !== watched.count) {
        watched.count = count
        watched.since = now
      } else if (now - watched.since >= this.bound) {
        this.watched.delete(worker)
        this.stuck(worker, now - watched.since)
      }
    }
  }
}
