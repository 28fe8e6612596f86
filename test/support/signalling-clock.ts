import { ManualClock } from '../../src/testing/manual-clock.ts'

/** A clock that stands still, and reports when a timer is set. */
export class SignallingClock extends ManualClock {
  private readonly waiting = new Set<() => void>()

  override after(ms: number, task: () => void): () => void {
    const cancel = super.after(ms, task)
    for (const resolve of this.waiting) resolve()
    this.waiting.clear()
    return cancel
  }

  /** Resolves when the next timer is set. */
  armed(): Promise<void> {
    return new Promise((resolve) => void this.waiting.add(resolve))
  }
}
