import type { Counter, Histogram, Metrics } from '../core/metrics.ts'

/** Counts the questions of one kind to Redis, and how long it takes. */
export class OperationMetrics {
  private readonly ok: Counter
  private readonly error: Counter
  private readonly timeout: Counter
  private readonly duration: Histogram

  constructor(metrics: Metrics, operation: string) {
    const labels = { store: 'redis', operation }
    const outcome = (name: string): Counter =>
      metrics.counter('sallyport_store_operations_total', { ...labels, outcome: name })
    this.ok = outcome('ok')
    this.error = outcome('error')
    this.timeout = outcome('timeout')
    this.duration = metrics.histogram('sallyport_store_duration_seconds', labels)
  }

  /** It answered, after so many milliseconds. */
  answered(took: number): void {
    this.ok.add(1)
    this.duration.observe(took / 1000)
  }

  /** It gave an error, or the connection is gone. */
  failed(): void {
    this.error.add(1)
  }

  timedOut(): void {
    this.timeout.add(1)
  }
}
