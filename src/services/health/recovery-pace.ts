/** From the end of one check of an unhealthy instance to the start of the next, in milliseconds. */
const PAUSE = 1_000
/** Between two such checks, of whichever instances: what a thousand of them take is no burden for the gateway then. */
const GAP = 10

/** When instances that are unhealthy are asked again: soon, so that they are back as soon as they are well. */
export class RecoveryPace {
  /** When the last of these checks that were given a time is due. */
  private last = Number.NEGATIVE_INFINITY

  /**
   * When an instance is asked whose last check ended at `since`, give or take a tenth, of which `spread` tells the part (0.9 to 1.1); in
   * the same milliseconds. Never later than its interval says.
   */
  next(since: number, interval: number, spread: number): number {
    const latest = since + interval * spread
    const due = Math.max(since + PAUSE * spread, this.last + GAP)
    // As many are unhealthy as can be asked within the interval: this one waits for it, and takes nobody's place.
    if (due >= latest) return latest
    this.last = due
    return due
  }
}
