import type { Clock } from '../core/clock.ts'

/** How many beats there are in the time after which a worker is stuck. */
const BEATS = 20
/** The main thread looks this often, in milliseconds, at least. */
const LOOK = 1_000
/** A look that is so late, in milliseconds, says that the process stood still, or had no processor. */
const STANDSTILL = 500

/** Begins to beat in a worker: as long as it comes to its events, the number in its place changes. */
export function beat(memory: SharedArrayBuffer, worker: number, bound: number, clock: Clock): void {
  if (bound === 0) return
  const beats = new Int32Array(memory)
  clock.every(bound / BEATS, () => void Atomics.add(beats, worker, 1))
}

interface Watched {
  count: number
  /** When it was seen to have changed. */
  since: number
}

/**
 * Notices workers that do not come to their events any more, by numbers in shared memory: asking them would wait for
 * them. Time in which the main thread stood still itself is nobody's.
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

  /** `bound` in milliseconds, 0 to notice nothing; `stuck` is told once of each, and after how many milliseconds. */
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
