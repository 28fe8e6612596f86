import { type Deadlines, TICK, type Timed } from './deadlines.ts'

/** Grace period in milliseconds before a client's rate counts. */
const GRACE = 5_000

/** A transfer that must keep up a minimum rate. */
export interface PacedTransfer {
  /** Bytes transferred so far. */
  moved(): number
  /** The transfer is too slow. */
  tooSlow(): void
}

/**
 * Enforces a minimum rate on a message, averaged over the time spent waiting for its client; other time does not count.
 * There is no work per byte: each byte earns time, and the total is looked at only when the earned time is used up.
 */
export class MinRate implements Timed {
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  private readonly deadlines: Deadlines
  private rate = 0
  private most = Number.POSITIVE_INFINITY
  private readonly paced: PacedTransfer
  /** Milliseconds of waiting that the client has left, when waiting starts again. */
  private allowance = GRACE
  /** Bytes already converted into time. */
  private credited = 0

  constructor(deadlines: Deadlines, paced: PacedTransfer) {
    this.deadlines = deadlines
    this.paced = paced
    deadlines.watch(this)
  }

  /**
   * Starts another message. `rate` is in bytes per second, 0 for no minimum; bytes earn at most `most` milliseconds at
   * a time.
   */
  begin(rate: number, most: number): void {
    this.rate = rate
    this.most = most
    this.deadline = Number.POSITIVE_INFINITY
    this.allowance = GRACE
    this.credited = 0
  }

  /** Waiting for the client starts. */
  wait(): void {
    if (this.deadline !== Number.POSITIVE_INFINITY || this.rate === 0) return
    this.deadline = this.deadlines.in(this.allowance)
  }

  /** Waiting for the client stops, for now. */
  rest(): void {
    if (this.deadline === Number.POSITIVE_INFINITY) return
    this.allowance = Math.max(0, this.deadline - this.deadlines.now - TICK)
    this.deadline = Number.POSITIVE_INFINITY
  }

  /** Suspends the minimum rate for the rest of the message. */
  excuse(): void {
    this.deadline = this.allowance = Number.POSITIVE_INFINITY
  }

  onDeadline(): void {
    const moved = this.paced.moved()
    const earned = ((moved - this.credited) * 1000) / this.rate
    this.credited = moved
    // Less time than the resolution of the clock counts as no progress.
    if (earned < TICK) return this.paced.tooSlow()
    this.deadline = this.deadlines.now + Math.min(earned, this.most)
  }
}
