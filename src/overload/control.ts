/** What the gateway goes by; times are milliseconds. */
export interface OverloadBounds {
  /** How late events may be. */
  readonly delay: number
  /** For how long they may be later before anything is shed. */
  readonly for: number
}

/** In a second the part that is shed changes by so much where events are twice as late as they may be, or later, or come in time. */
const GAIN = 0.5
/** At once it changes by so much where they are later than at the look before by what they may be: without that it would swing. */
const DAMPING = 0.05
/** A change that is so many times as large counts as no larger. */
const LARGEST = 4
/** A look that comes after so many milliseconds has not seen what the one before did to all of that time. */
const LONGEST = 200
/** Of the time in which they were late, the part in which the thread was at work: less than that, and it has not too much to do. */
const BUSY = 0.9

/**
 * Finds out which part of the requests a thread has to shed, from how late it is. A turn that takes long now and then, as a collection of
 * garbage or a reload, is none of it: nothing is shed before every look for a while has found it late. From then on the part rises while it is late and
 * falls while it is not, so that it does what it can and no more (a controller as in RFC 8033, PIE, section 4.2).
 */
export class OverloadControl {
  /** From 0 to 1. */
  part = 0
  private lateSince: number | null = null
  /** How late it was at the look before. */
  private last = 0

  /** A look at that time found the thread so late by its own work, and at work for such a part of the time since the look before, of which it tells the length. */
  look(now: number, late: number, busy: number, since: number, bounds: OverloadBounds): void {
    const own = busy < BUSY ? 0 : late
    if (own > bounds.delay) this.lateSince ??= now - late
    else if (this.part === 0) this.lateSince = null
    if (this.lateSince !== null && now - this.lateSince >= bounds.for) this.follow(own, since, bounds)
    this.last = own
  }

  private follow(late: number, since: number, { delay }: OverloadBounds): void {
    const wrong = Math.min(1, late / delay - 1)
    const change = Math.max(-LARGEST, Math.min(LARGEST, (late - this.last) / delay))
    const part = this.part + (GAIN * wrong * Math.min(since, LONGEST)) / 1000 + DAMPING * change
    this.part = Math.max(0, Math.min(1, part))
    if (this.part === 0) this.lateSince = null
  }
}
