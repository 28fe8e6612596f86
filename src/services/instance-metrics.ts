import { valueOfEach } from '../core/present.ts'
import type { Counter, HeldMetrics, Histogram, Metrics } from '../core/metrics.ts'
import { type FailureReason, failureReasons, type OutcomeListener } from './outcome.ts'
import type { Instance } from './instance.ts'

/** Counts the attempts on one instance. */
export class InstanceMetrics {
  /** By the first digit of the status. */
  private readonly replies: readonly Counter[]
  private readonly failures: Counter
  private readonly reasons: (reason: FailureReason) => Counter
  private readonly duration: Histogram
  private readonly held: HeldMetrics

  constructor(all: Metrics, service: string, instance: string) {
    // Held, as addresses come and go.
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

  /** The head of a reply arrived after `took` milliseconds. */
  replied(status: number, took: number): void {
    ;(this.replies[Math.floor(status / 100)] ?? this.failures).add(1)
    this.duration.observe(took / 1000)
  }

  /** There was no reply. */
  failed(reason: FailureReason): void {
    this.failures.add(1)
    this.reasons(reason).add(1)
  }

  /** The instance is no longer used. */
  close(): void {
    this.held.release()
  }
}

interface Measured extends Instance {
  readonly metrics: InstanceMetrics
}

/** Counts each attempt for its instance. A failure that the same instance immediately made up for is not counted. */
export const instanceOutcomes: OutcomeListener<Measured> = {
  ended({ instance, status, reason, fault, took, again }) {
    if (status !== 0) instance.metrics.replied(status, took)
    else if (reason !== null && !(fault === 'connection' && again)) instance.metrics.failed(reason)
  },
}

/** Why a request is resent: its reply was unacceptable, there was none, or none is expected. */
const retryReasons = [...failureReasons, 'status', 'stalled'] as const

export type RetryReason = (typeof retryReasons)[number]

/** Counts the retries of requests to one service. */
export class Retries {
  private readonly reasons: (reason: RetryReason) => Counter

  constructor(metrics: Metrics, service: string) {
    this.reasons = valueOfEach(retryReasons, (reason) =>
      metrics.counter('sallyport_retries_total', { service, reason }),
    )
  }

  /** Counts one retry, with the reason the previous attempt failed for. */
  count(reason: RetryReason): void {
    this.reasons(reason).add(1)
  }
}
