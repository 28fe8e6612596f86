/** Limits for overload control; times in milliseconds. */
export interface OverloadBounds {
  /** Acceptable event-loop delay. */
  readonly delay: number
  /** How long the delay may exceed the limit before requests are shed. */
  readonly for: number
}

/** How much the shed fraction changes per second when the delay is at least twice the limit, or zero. */
const GAIN = 0.5
/** How much it changes immediately when the delay has grown by the limit since the previous check; prevents oscillation. */
const DAMPING = 0.05
/** Changes are capped at this multiple. */
const MAX_SIZE = 4
/** A check that comes more than this many milliseconds after the previous one is treated as if only this much time had passed. */
const MAX_TIME = 200
/** Fraction of the late period in which the thread must have been busy; below that, the thread is not overloaded. */
const BUSY = 0.9

/**
 * Determines what fraction of requests a thread has to shed, from its event-loop delay. An occasional long turn, such as garbage collection
 * or a reload, does not count: nothing is shed until every check has found the thread late for a while. From then on the fraction rises
 * while the thread is late and falls while it is not, so that it sheds no more than necessary (a controller as in RFC 8033, PIE, section
 * 4.2).
 */
export class OverloadControl {
  /** The fraction of requests to shed, from 0 to 1. */
  part = 0
  private lateSince: number | null = null
  /** The delay at the previous check. */
  private last = 0

  /**
   * Records a check at `now`: the delay caused by the thread's own work (`late`), the fraction of time it was busy since the previous
   * check, and the time since then (`since`).
   */
  look(now: number, late: number, busy: number, since: number, bounds: OverloadBounds): void {
    const own = busy < BUSY ? 0 : late
    if (own > bounds.delay) this.lateSince ??= now - late
    else if (this.part === 0) this.lateSince = null
    if (this.lateSince !== null && now - this.lateSince >= bounds.for) this.follow(own, since, bounds)
    this.last = own
  }

  private follow(late: number, since: number, { delay }: OverloadBounds): void {
    const wrong = Math.min(1, late / delay - 1)
    const change = Math.max(-MAX_SIZE, Math.min(MAX_SIZE, (late - this.last) / delay))
    const part = this.part + (GAIN * wrong * Math.min(since, MAX_TIME)) / 1000 + DAMPING * change
    this.part = Math.max(0, Math.min(1, part))
    if (this.part === 0) this.lateSince = null
  }
}
