import type { Clock } from './clock.ts'

/** How long work goes on at a time, in milliseconds. */
const SLICE = 5

/**
 * The time of long work in a thread that answers requests meanwhile. Whoever does it looks after each item whether its time is
 * `over`, and awaits the `next` slice then.
 */
export class Slices {
  private readonly clock: Clock
  private end: number

  constructor(clock: Clock) {
    this.clock = clock
    this.end = clock.now() + SLICE
  }

  get over(): boolean {
    return this.clock.now() >= this.end
  }

  /** Resolves once everything else has had its turn. */
  async next(): Promise<void> {
    await new Promise((resolve) => void setImmediate(resolve))
    this.end = this.clock.now() + SLICE
  }
}
