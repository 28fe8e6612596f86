import { valueOfEach } from '../core/present.ts'
import type { GatewayError } from '../core/errors.ts'
import type { Counter, HeldMetrics, Histogram, Metrics } from '../core/metrics.ts'
import { ClosedBeforeReply, ConnectFailed, HandshakeFailed, TooManyStreams } from '../http/lane-errors.ts'

const REASONS = ['connect', 'tls', 'timeout', 'closed', 'invalid', 'busy', 'streams'] as const

/** Why an instance gave no reply. */
export type FailureReason = (typeof REASONS)[number]

/** Why an instance gave no reply; null where that was not for it to give, as when the client's body did not come. */
export function failureReason(error: GatewayError): FailureReason | null {
  if (error instanceof ConnectFailed) return 'connect'
  if (error instanceof HandshakeFailed) return 'tls'
  if (error instanceof ClosedBeforeReply) return 'closed'
  if (error instanceof TooManyStreams) return 'streams'
  if (error.code === 'too-busy') return 'busy'
  if (error.code === 'gateway-timeout') return 'timeout'
  return error.code === 'bad-gateway' ? 'invalid' : null
}

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
    this.reasons = valueOfEach(REASONS, (reason) =>
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

/** Counts further attempts for the requests to one service. */
export class Retries {
  private readonly reasons: (reason: FailureReason) => Counter

  constructor(metrics: Metrics, service: string) {
    this.reasons = valueOfEach(REASONS, (reason) => metrics.counter('sallyport_retries_total', { service, reason }))
  }

  /** One more, as the one before had failed for that reason. */
  count(reason: FailureReason): void {
    this.reasons(reason).add(1)
  }
}
