import { valueOfEach } from '../core/present.ts'
import type { Counter, HeldMetrics, Histogram, Metrics } from '../core/metrics.ts'
import { type FailureReason, failureReasons, type OutcomeListener } from './outcome.ts'
import type { Instance } from './instance.ts'

/** Counts the attempts to have requests answered by one instance. */
export class InstanceMetrics {
  /** By the first digit of the status. */
  private readonly replies: readonly Counter[]
  private readonly failures: Counter
  private readonly reasons: (reason: FailureReason) => Counter
  private readonly duration: Histogram
  private readonly held: HeldMetrics

  constructor(all: Metrics, service: string, instance: string) {
    // Addresses come and go.
    const metrics = all.hold()
    this.held = metrics
    const labels = { service, instance }
    const requests = (status_class: string): Counter =>
      metrics.counter('sallyport_instance_requests_total', { ...labels, status_class })
    this.failures = requests('error')
    this.replies = ['error', '1xx', '2xx', '3xx', '4xx', '5xx'].map(requests)
    this.reasons = valueOfEach(failureReasons, (reason) =>
      metrics.counter('sallyport_instance_errors_total', { ...labels, reason }),
    )
    this.duration = metrics.histogram('sallyport_instance_duration_seconds', labels)
  }

  /** The head of a reply came, after so many milliseconds. */
  replied(status: number, took: number): void {
    ;(this.replies[Math.floor(status / 100)] ?? this.failures).add(1)
    this.duration.observe(took / 1000)
  }

  /** No reply came. */
  failed(reason: FailureReason): void {
    this.failures.add(1)
    this.reasons(reason).add(1)
  }

  /** Nothing is sent there any more. */
  close(): void {
    this.held.release()
  }
}

interface Measured extends Instance {
  readonly metrics: InstanceMetrics
}

/** Counts each attempt for its instance. What the same instance made up for at once is none that failed. */
export const instanceOutcomes: OutcomeListener<Measured> = {
  ended({ instance, status, reason, fault, took, again }) {
    if (status !== 0) instance.metrics.replied(status, took)
    else if (reason !== null && !(fault === 'connection' && again)) instance.metrics.failed(reason)
  },
}

/** Why a request is sent once more: the reply that came would not do, there was none, or none is to be expected. */
const retryReasons = [...failureReasons, 'status', 'stalled'] as const

export type RetryReason = (typeof retryReasons)[number]

/** Counts further attempts for the requests to one service. */
export class Retries {
  private readonly reasons: (reason: RetryReason) => Counter

  constructor(metrics: Metrics, service: string) {
    this.reasons = valueOfEach(retryReasons, (reason) =>
      metrics.counter('sallyport_retries_total', { service, reason }),
    )
  }

  /** One more, as the one before had failed for that reason. */
  count(reason: RetryReason): void {
    this.reasons(reason).add(1)
  }
}
