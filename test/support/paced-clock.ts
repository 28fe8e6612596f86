import { ManualClock } from './manual-clock.ts'

/** How often the clock is moved on, and by how much at most, in milliseconds. */
const PERIOD = 10
const STEP = 20

/**
 * A clock that keeps pace with the machine's, and falls behind while the event loop does. What takes a number of turns
 * is never late on it because other processes have taken the processor.
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
