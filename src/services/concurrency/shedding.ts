import { GatewayError } from '../../core/errors.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import { valueOfEach } from '../../core/present.ts'
import { priorities, type Priority } from './priority.ts'
import { retryAfter } from './retry-after.ts'

/** Creates and counts the replies to requests that exceed a service's limit. */
export class Shedding {
  private readonly counter: (priority: Priority) => Counter
  private readonly random: () => number

  constructor(service: string, metrics: Metrics, random: () => number) {
    this.counter = valueOfEach(priorities, (priority) =>
      metrics.counter('sallyport_shed_total', { service, reason: 'concurrency', priority }),
    )
    this.random = random
  }

  /** The reply to a request of that priority that is shed. */
  shed(priority: Priority): GatewayError {
    this.counter(priority).add(1)
    return new GatewayError('service-overloaded', 'The service is at its concurrency limit: try again later.', {
      headers: retryAfter(this.random),
    })
  }
}
