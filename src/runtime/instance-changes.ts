import type { Clock } from '../core/clock.ts'

/** How long to wait for further changes, in milliseconds, as many instances often change together. */
const GATHERING = 100
/** Minimum interval between the end of one exchange and the start of the next, in milliseconds. */
const MIN = 1_000
/** Delay before a failed exchange is retried, in milliseconds: initial value and maximum, doubled each time. */
const AGAIN = 1_000
const MAX_DELAY = 30_000

export interface InstanceChangesOptions {
  readonly clock: Clock
  /** Puts the discovered instances into effect; resolves with false if that is not possible yet. Never rejects. */
  readonly exchange: () => Promise<boolean>
}

/** Puts discovered instances into effect: batches changes, and performs one exchange at a time. */
export class InstanceChanges {
  private readonly options: InstanceChangesOptions
  private last = -Infinity
  /** Cancels the scheduled exchange; null if there is none. */
  private due: (() => void) | null = null
  private underWay = false
  /** Whether instances have changed since the exchange in progress started. */
  private more = false
  private stopped = false
  /** Number of consecutive failed exchanges. */
  private failures = 0

  constructor(options: InstanceChangesOptions) {
    this.options = options
  }

  /** The discovered instances have changed. */
  note(): void {
    if (this.underWay) this.more = true
    else this.plan(GATHERING)
  }

  stop(): void {
    this.stopped = true
    this.due?.()
  }

  private plan(wait: number): void {
    if (this.due !== null || this.stopped) return
    const { clock } = this.options
    this.due = clock.after(Math.max(wait, this.last + MIN - clock.now()), () => void this.exchange())
  }

  private async exchange(): Promise<void> {
    const { clock, exchange } = this.options
    this.due = null
    this.more = false
    this.underWay = true
    const done = await exchange()
    this.underWay = false
    this.last = clock.now()
    this.failures = done ? 0 : this.failures + 1
    if (this.more) this.plan(GATHERING)
    else if (!done) this.plan(Math.min(MAX_DELAY, AGAIN * 2 ** (this.failures - 1)))
  }
}
