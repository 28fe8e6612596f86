import type { Deadlines } from '../http/deadlines.ts'
import { ConnectionError, ErrorCode } from './errors.ts'

/** What costs more than a frame that is only looked at. */
export const Cost = {
  /** A stream that leads to nothing. */
  stream: 4,
  settings: 10,
} as const

/** How much reading so many octets costs that come to nothing. */
export function costOf(octets: number): number {
  return octets >> 9
}

/** What a connection may cost without getting anything done, at once and for each second. */
const MOST = 1_000
const PER_SECOND = 100

/**
 * Bounds what a peer may have done that leads to nothing: frames that are answered or looked at and carry no message, streams that are
 * reset before they are answered, messages that are none. Requests that are answered, and content, pay for it.
 */
export class Patience {
  private readonly deadlines: Deadlines
  private left = MOST
  private since: number

  constructor(deadlines: Deadlines) {
    this.deadlines = deadlines
    this.since = deadlines.now
  }

  /** Something useful was done. */
  earn(points: number): void {
    this.left = Math.min(MOST, this.left + points)
  }

  /** Throws ConnectionError ENHANCE_YOUR_CALM where there is not as much left. */
  spend(points: number, what: string): void {
    this.left -= points
    if (this.left >= 0) return
    const { now } = this.deadlines
    this.left = Math.min(MOST, this.left + ((now - this.since) * PER_SECOND) / 1000)
    this.since = now
    if (this.left < 0) throw new ConnectionError(ErrorCode.enhanceYourCalm, `There are too many ${what}.`)
  }
}
