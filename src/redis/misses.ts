/** Questions in a row without an answer that make an outage. */
const MOST = 3

/** A miss that is older than so many time-outs is no part of the row. */
const FORGOTTEN_AFTER = 10

/**
 * Counts questions that were not answered in time. Those that wait at the same time are one: a question counts only if
 * it was asked after the last one that did.
 */
export class Misses {
  private readonly timeout: number
  private count = 0
  private last = -Infinity

  constructor(timeout: number) {
    this.timeout = timeout
  }

  /** A question that was asked at `asked` was given up at `now`, both in milliseconds. True where that is the last straw. */
  add(asked: number, now: number): boolean {
    if (asked < this.last) return false
    if (now - this.last > FORGOTTEN_AFTER * this.timeout) this.count = 0
    this.last = now
    return ++this.count >= MOST
  }

  /** There was an answer in time, or an outage that is over. */
  clear(): void {
    this.count = 0
  }
}
