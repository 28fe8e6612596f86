import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Metrics } from '../../core/metrics.ts'
import { withoutCommand } from './logged-error.ts'
import { type Operation, OperationMetrics } from './operation-metrics.ts'

/** Between two looks whether Redis is back, in milliseconds. */
const PROBE_INTERVAL = 100

/** Redis does answer, but not that question: there is no outage. */
export class Refused extends Error {}

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
  private readonly metrics: Metrics
  private readonly operations = new Map<Operation, OperationMetrics>()

  constructor(clock: Clock, log: Logger, timeout: number, metrics: Metrics) {
    this.clock = clock
    this.log = log
    this.timeout = timeout
    this.metrics = metrics
    metrics.watch('sallyport_store_up', { store: 'redis' }, () => (this.down ? 0 : 1))
  }

  /** Whether it is known that Redis does not answer. */
  get down(): boolean {
    return this.stopProbing !== null
  }

  /** Counts something that is done without Redis. */
  missed(): void {
    this.without++
  }

  /**
   * What the question brings, or null where that is nothing in time, or it is Refused. `operation` is what the metrics
   * call the question, and `again` the question that ends the outage.
   */
  ask<Answer>(
    operation: Operation,
    question: () => Promise<Answer>,
    again: () => Promise<unknown>,
  ): Promise<Answer | null> {
    const metrics = this.metricsOf(operation)
    const start = this.clock.now()
    return new Promise((resolve) => {
      let late = false
      const failed = (error: unknown): void => {
        cancel()
        if (!(error instanceof Refused)) this.begin(error, again)
        resolve(null)
      }
      const cancel = this.clock.after(this.timeout, () => {
        late = true
        metrics.timedOut()
        failed(new Error(`no answer within ${this.timeout} ms`))
      })
      question().then(
        (answer) => {
          cancel()
          if (!late) metrics.answered(this.clock.now() - start)
          resolve(answer)
        },
        (error: unknown) => {
          if (!late) metrics.failed()
          failed(error)
        },
      )
    })
  }

  /** Nothing is asked or logged any more. */
  close(): void {
    this.closed = true
    this.stopProbing?.()
  }

  private metricsOf(operation: Operation): OperationMetrics {
    const known = this.operations.get(operation) ?? new OperationMetrics(this.metrics, operation)
    this.operations.set(operation, known)
    return known
  }

  private begin(error: unknown, again: () => Promise<unknown>): void {
    if (this.down || this.closed) return
    this.without = 0
    this.log.warn({ error: withoutCommand(error) }, 'Redis does not answer: the gateway goes on without it')
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
