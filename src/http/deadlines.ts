import type { Clock } from '../core/clock.ts'
import { flatString } from '../core/flat-string.ts'
import { DenseSet } from '../core/dense-set.ts'

/** Something with a time limit, such as a connection in any of its states. */
export interface Timed {
  /** The time on the scale of `Deadlines.now` at which it expires, or Infinity. */
  deadline: number
  /** Index among those watched; used by `Deadlines` alone. */
  watchIndex: number
  onDeadline(): void
}

/** Resolution of deadlines, in milliseconds. */
export const TICK = 100
/**
 * A tick that is this late, in milliseconds, means that the thread was stalled: the process was stopped, or got no CPU
 * time.
 */
const STANDSTILL = 500

/**
 * All deadlines of a thread, checked together ten times a second: setting one is an assignment, and no request costs a
 * timer. A deadline fires up to twice TICK late, never early. Time during which the thread was stalled does not count
 * against any deadline: what arrived during it has not been read yet.
 */
export class Deadlines {
  readonly clock: Clock
  /** Monotonic milliseconds, updated once per tick. */
  now: number
  /** The Date field line for the current second, including the line end (RFC 9110 section 6.6.1). */
  dateField: string

  private readonly watched = new DenseSet<'watchIndex', Timed>('watchIndex')
  private readonly stop: () => void

  constructor(clock: Clock) {
    this.clock = clock
    this.now = clock.now()
    this.dateField = dateField(clock)
    this.stop = clock.every(TICK, () => this.tick())
  }

  get size(): number {
    return this.watched.size
  }

  watch(item: Timed): void {
    this.watched.add(item)
  }

  forget(item: Timed): void {
    this.watched.delete(item)
  }

  /** The deadline `ms` milliseconds from now. */
  in(ms: number): number {
    return this.now + ms + TICK
  }

  close(): void {
    this.stop()
    for (const item of this.watched) this.watched.delete(item)
  }

  private tick(): void {
    const now = this.clock.now()
    const late = now - this.now - TICK
    if (late > STANDSTILL) for (const item of this.watched) item.deadline += late
    this.now = now
    this.dateField = dateField(this.clock)
    for (const item of this.watched) {
      if (item.deadline > this.now) continue
      item.deadline = Number.POSITIVE_INFINITY
      item.onDeadline()
    }
  }
}

function dateField(clock: Clock): string {
  return flatString(`Date: ${new Date(clock.wall()).toUTCString()}\r\n`)
}
