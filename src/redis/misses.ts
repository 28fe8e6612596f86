/** Number of consecutive unanswered commands that count as an outage. */
const MAX = 3

/** Misses older than this many timeouts are no longer counted. */
const FORGOTTEN_AFTER = 10

/**
 * Counts commands that were not answered in time. Concurrent ones count once: a command counts only if it was sent after the last one that
 * counted.
 */
export class Misses {
  private readonly timeout: number
  private count = 0
  private last = -Infinity

  constructor(timeout: number) {
    this.timeout = timeout
  }

  /** Records a command sent at `sentAt` and given up at `now`, both in milliseconds. Returns true when this makes it an outage. */
  add(sentAt: number, now: number): boolean {
    if (sentAt < this.last) return false
    if (now - this.last > FORGOTTEN_AFTER * this.timeout) this.count = 0
    this.last = now
    return ++this.count >= MAX
  }

  /** Resets the count after a reply in time, or when an outage is over. */
  clear(): void {
    this.count = 0
  }
}
