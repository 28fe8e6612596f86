import type { Clock } from '../core/clock.ts'

/** The time of a log, which goes on with its lines and never back. Nothing that is to be done later is done. */
export class LogClock implements Clock {
  private time = 0

  /** It is that late now, in milliseconds since 1970-01-01T00:00:00Z, or later. */
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
