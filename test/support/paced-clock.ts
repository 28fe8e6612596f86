import { ManualClock } from '../../src/testing/manual-clock.ts'

/** The interval and the maximum step of the clock, in milliseconds. */
const PERIOD = 10
const STEP = 20

/**
 * A clock that keeps pace with the machine's, and falls behind while the event loop does. A task that takes a certain number of turns is
 * therefore never late on it because other processes have used the CPU.
 */
export class PacedClock extends ManualClock {
  private last = performance.now()
  private readonly timer = setInterval(() => this.keepPace(), PERIOD)

  stop(): void {
    clearInterval(this.timer)
  }

  private keepPace(): void {
    const now = performance.now()
    this.advance(Math.min(now - this.last, STEP))
    this.last = now
  }
}
