import type { Clock } from '../core/clock.ts'

/** How long what else is found is waited for, in milliseconds: many change together. */
const GATHERING = 100
/** The least time between the end of one exchange and the beginning of the next, in milliseconds. */
const LEAST = 1_000
/** When those are tried again that could not be had, in milliseconds: first, and at most, twice as long each time. */
const AGAIN = 1_000
const LONGEST = 30_000

export interface InstanceChangesOptions {
  readonly clock: Clock
  /** Has what was found take effect; resolves with false where that is not to be had yet. Never rejects. */
  readonly exchange: () => Promise<boolean>
}

/** Has instances that are found take effect: many changes at once, and one exchange at a time. */
export class InstanceChanges {
  private readonly options: InstanceChangesOptions
  private last = -Infinity
  /** Calls off the exchange that is due; null where none is. */
  private due: (() => void) | null = null
  private underWay = false
  /** Others were found since the one under way began. */
  private more = false
  private stopped = false
  /** In a row, none of which had what was found take effect. */
  private failures = 0

  constructor(options: InstanceChangesOptions) {
    this.options = options
  }

  /** Other instances were found. */
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
    this.due = clock.after(Math.max(wait, this.last + LEAST - clock.now()), () => void this.exchange())
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
    else if (!done) this.plan(Math.min(LONGEST, AGAIN * 2 ** (this.failures - 1)))
  }
}
