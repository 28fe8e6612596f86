import type { Counter, Histogram, Metrics } from '../core/metrics.ts'

/** Counts the Redis commands of one kind and measures their duration. */
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

  /** Redis replied after `took` milliseconds. */
  answered(took: number): void {
    this.ok.add(1)
    this.duration.observe(took / 1000)
  }

  /** The command failed or the connection was lost. */
  failed(): void {
    this.error.add(1)
  }

  timedOut(): void {
    this.timeout.add(1)
  }
}
