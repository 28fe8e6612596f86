import type { Clock } from './clock.ts'

/** How long, in milliseconds, everything has to work again before an outage is over. */
const STEADY = 10_000

/** What to log about an outage. */
export interface OutageMessages {
  begins(error: unknown): void
  ends(): void
}

/** Logs the beginning and the end of an outage; one in which some things still work, in turns, is a single one. */
export class OutageLog {
  private readonly clock: Clock
  private readonly messages: OutageMessages
  /** When something failed last, in monotonic milliseconds; null where there is no outage. */
  private failedAt: number | null = null
  /** Whether anything has worked since then. */
  private hasWorked = false

  constructor(clock: Clock, messages: OutageMessages) {
    this.clock = clock
    this.messages = messages
  }

  failed(error: unknown): void {
    const isNew = this.failedAt === null || (this.hasWorked && this.isOver(this.failedAt))
    this.failedAt = this.clock.now()
    this.hasWorked = false
    if (isNew) this.messages.begins(error)
  }

  worked(): void {
    this.hasWorked = true
    if (this.failedAt === null || !this.isOver(this.failedAt)) return
    this.failedAt = null
    this.messages.ends()
  }

  private isOver(failedAt: number): boolean {
    return this.clock.now() - failedAt >= STEADY
  }
}
