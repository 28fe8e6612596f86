import { type Deadlines, TICK, type Timed } from './deadlines.ts'

/** Milliseconds that a client may be waited for before its rate counts. */
const GRACE = 5_000

/** What is to move at a least rate. */
export interface Paced {
  /** Octets that have moved so far. */
  moved(): number
  /** They have moved too slowly. */
  tooSlow(): void
}

/**
 * Has the octets of a message move at a least rate, on the average of the time in which their client was waited for: all
 * other time is nobody's. Nothing is done for an octet: what has moved is looked at when the time is up that it was good for.
 */
export class LeastRate implements Timed {
  deadline = Number.POSITIVE_INFINITY
  private readonly deadlines: Deadlines
  private rate = 0
  private most = Number.POSITIVE_INFINITY
  private readonly paced: Paced
  /** Milliseconds that the client may be waited for, from when it is waited for again. */
  private allowance = GRACE
  /** Octets that have been turned into time. */
  private credited = 0

  constructor(deadlines: Deadlines, paced: Paced) {
    this.deadlines = deadlines
    this.paced = paced
    deadlines.watch(this)
  }

  /** Another message begins. `rate` is in octets a second, 0 for none; what has moved is good for `most` milliseconds at a time. */
  begin(rate: number, most: number): void {
    this.rate = rate
    this.most = most
    this.deadline = Number.POSITIVE_INFINITY
    this.allowance = GRACE
    this.credited = 0
  }

  /** The client is waited for from now on. */
  wait(): void {
    if (this.deadline !== Number.POSITIVE_INFINITY || this.rate === 0) return
    this.deadline = this.deadlines.in(this.allowance)
  }

  /** It is not, for now. */
  rest(): void {
    if (this.deadline === Number.POSITIVE_INFINITY) return
    this.allowance = Math.max(0, this.deadline - this.deadlines.now - TICK)
    this.deadline = Number.POSITIVE_INFINITY
  }

  /** The rest of the message may take its time. */
  excuse(): void {
    this.deadline = this.allowance = Number.POSITIVE_INFINITY
  }

  onDeadline(): void {
    const moved = this.paced.moved()
    const earned = ((moved - this.credited) * 1000) / this.rate
    this.credited = moved
    // Less than what one look at the clock takes is nothing.
    if (earned < TICK) return this.paced.tooSlow()
    this.deadline = this.deadlines.now + Math.min(earned, this.most)
  }
}
