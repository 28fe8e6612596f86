import type { Clock } from '../core/clock.ts'

/** The time of a log, which advances with its lines and never goes back. Timers never run. */
export class LogClock implements Clock {
  private time = 0

  /** Sets the time to at least that, in milliseconds since 1970-01-01T00:00:00Z. */
  reach(time: number): void {
    if (time > this.time) this.time = time
  }

  now(): number {
    return this.time
  }

  wall(): number {
    return this.time
  }

  every(): () => void {
    return () => {}
  }

  after(): () => void {
    return () => {}
  }
}
