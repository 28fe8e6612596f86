/** From the end of one check of an unhealthy instance to the start of the next, in milliseconds. */
const PAUSE = 1_000
/**
 * Minimum interval between such checks across all instances, in milliseconds, so that even a thousand unhealthy instances are no burden.
 */
const GAP = 10

/** Schedules the checks of unhealthy instances: frequent, so that instances return soon after they recover. */
export class RecoveryPace {
  /** Due time of the latest check scheduled here. */
  private last = Number.NEGATIVE_INFINITY

  /**
   * Due time of the next check of an instance whose last check ended at `since`. `spread` (0.9 to 1.1) randomizes the delay. All times in
   * milliseconds; never later than the regular interval.
   */
  next(since: number, interval: number, spread: number): number {
    const latest = since + interval * spread
    const due = Math.max(since + PAUSE * spread, this.last + GAP)
    // All fast checks within the interval are taken: this instance waits for its regular check and uses no fast one.
    if (due >= latest) return latest
    this.last = due
    return due
  }
}
