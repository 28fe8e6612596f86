import type { Deadlines } from '../http/deadlines.ts'
import { ConnectionError, ErrorCode } from './errors.ts'

/** Costs of things that cost more than just parsing a frame. */
export const Cost = {
  /** A stream that accomplishes nothing. */
  stream: 4,
  settings: 10,
} as const

/** The cost of reading that many bytes in vain. */
export function costOf(bytes: number): number {
  return bytes >> 9
}

/** How much fruitless work a connection may cause: at once, and per second. */
const MAX = 1_000
const PER_SECOND = 100

/**
 * Limits the fruitless work that a peer can cause: frames that are answered or parsed but carry no message, streams
 * that are reset before they are answered, invalid messages. Requests that are answered, and content, earn it credit.
 */
export class WorkBudget {
  private readonly deadlines: Deadlines
  private left = MAX
  private since: number

  constructor(deadlines: Deadlines) {
    this.deadlines = deadlines
    this.since = deadlines.now
  }

  /** Credits useful work. */
  earn(points: number): void {
    this.left = Math.min(MAX, this.left + points)
  }

  /** Charges fruitless work. Throws ConnectionError ENHANCE_YOUR_CALM where the credit is used up. */
  spend(points: number, what: string): void {
    this.left -= points
    if (this.left >= 0) return
    const { now } = this.deadlines
    this.left = Math.min(MAX, this.left + ((now - this.since) * PER_SECOND) / 1000)
    this.since = now
    if (this.left < 0) throw new ConnectionError(ErrorCode.enhanceYourCalm, `There are too many ${what}.`)
  }
}
