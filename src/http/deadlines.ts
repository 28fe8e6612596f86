import type { Clock } from '../core/clock.ts'
import { flat } from '../core/flat.ts'

/** Something that must not wait for ever: a connection in whatever state it is. */
export interface Timed {
  /** The time of `Deadlines.now` at which it is over, or Infinity. */
  deadline: number
  onDeadline(): void
}

/** How exact deadlines are, in milliseconds. */
export const TICK = 100
/** A tick that is so late, in milliseconds, says that the thread stood still: the process was stopped, or had no processor. */
const STANDSTILL = 500

/**
 * All deadlines of a thread, looked over together ten times a second: setting one is an assignment, and no request
 * costs a timer. A deadline comes up to twice TICK late, never early. Time in which the thread stood still is nobody's:
 * what came meanwhile has not been read yet.
 */
export class Deadlines {
  readonly clock: Clock
  /** Coarse monotonic milliseconds. */
  now: number
  /** The Date field of this second, with its line end (RFC 9110 section 6.6.1). */
  dateField: string

  private readonly watched = new Set<Timed>()
  private readonly stop: () => void

  constructor(clock: Clock) {
    this.clock = clock
    this.now = clock.now()
    this.dateField = dateField(clock)
    this.stop = clock.every(TICK, () => this.tick())
  }

  /** How many are watched. */
  get size(): number {
    return this.watched.size
  }

  watch(item: Timed): void {
    this.watched.add(item)
  }

  forget(item: Timed): void {
    this.watched.delete(item)
  }

  /** The deadline that lies `ms` milliseconds ahead. */
  in(ms: number): number {
    return this.now + ms + TICK
  }

  close(): void {
    this.stop()
    this.watched.clear()
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
  return flat(`Date: ${new Date(clock.wall()).toUTCString()}\r\n`)
}
