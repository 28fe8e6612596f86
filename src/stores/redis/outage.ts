import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'

/** Between two looks whether Redis is back, in milliseconds. */
const PROBE_INTERVAL = 100

/**
 * Knows whether Redis answers. After the first question that it does not answer in time nothing waits for it any more,
 * until the same question is answered: asked again in the background, by one at a time.
 */
export class Outage {
  private readonly clock: Clock
  private readonly log: Logger
  /** How long an answer may take, in milliseconds. */
  private readonly timeout: number
  private stopProbing: (() => void) | null = null
  private without = 0
  private closed = false

  constructor(clock: Clock, log: Logger, timeout: number) {
    this.clock = clock
    this.log = log
    this.timeout = timeout
  }

  /** Whether it is known that Redis does not answer. */
  get down(): boolean {
    return this.stopProbing !== null
  }

  /** Counts something that is done without Redis. */
  missed(): void {
    this.without++
  }

  /** What the question brings, or null where that is nothing in time. `again` is the question that ends the outage. */
  ask<Answer>(question: () => Promise<Answer>, again: () => Promise<unknown>): Promise<Answer | null> {
    return new Promise((resolve) => {
      const failed = (error: unknown): void => {
        cancel()
        this.begin(error, again)
        resolve(null)
      }
      const cancel = this.clock.after(this.timeout, () => failed(new Error(`no answer within ${this.timeout} ms`)))
      question().then((answer) => {
        cancel()
        resolve(answer)
      }, failed)
    })
  }

  /** Nothing is asked or logged any more. */
  close(): void {
    this.closed = true
    this.stopProbing?.()
  }

  private begin(error: unknown, again: () => Promise<unknown>): void {
    if (this.down || this.closed) return
    this.without = 0
    this.log.warn({ error }, 'Redis does not answer: the gateway goes on without it')
    let asking = false
    this.stopProbing = this.clock.every(PROBE_INTERVAL, () => {
      if (asking) return
      asking = true
      again().then(
        () => this.end(),
        () => (asking = false),
      )
    })
  }

  private end(): void {
    if (this.closed) return
    this.stopProbing?.()
    this.stopProbing = null
    this.log.info({ decisions: this.without }, 'Redis answers again; so many decisions were made without it')
  }
}
