import { GatewayError } from '../../core/errors.ts'
import { noMetrics } from '../../core/no-metrics.ts'
import type { Holder } from '../../core/shared.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Handler } from '../../http/handler.ts'
import { Headers } from '../../http/headers.ts'
import type { OutgoingRequest } from '../../http/outgoing-request.ts'
import { Reply } from '../../http/reply.ts'
import type { CurrentService } from '../../services/current-service.ts'
import { pathFor } from '../../services/forward.ts'
import { type ForwardOptions, RequestForm } from '../../services/request-form.ts'

/** The request that would be sent, and the instance it would go to. */
export interface DryRequest {
  readonly service: CurrentService
  /** Address of the instance the balancer would pick; null if there is none. */
  readonly instance: string | null
  /** Null if nothing would be sent. */
  readonly request: OutgoingRequest | null
}

/** Replaces forwarding to services: records what would be sent, and sends nothing. */
export class DryForward {
  /** The exchange to record; others, such as copies of it, are ignored. */
  exchange: Exchange | null = null
  /** What would have been sent for that exchange; null if forwarding was not reached. */
  sent: DryRequest | null = null
  private readonly holder: Holder

  /** The holder must share nothing with others. */
  constructor(holder: Holder) {
    this.holder = holder
  }

  readonly make = (service: CurrentService, options: ForwardOptions): Handler => {
    const form = new RequestForm(service.current.host, options)
    return (exchange) => {
      const path = pathFor(exchange, options.rewrite)
      const { sticky, balancer } = service.aside(this.holder, noMetrics)
      const instance = sticky?.bound(exchange) ?? balancer.pick(exchange, null)
      const { trace, query } = exchange
      const request = instance === null ? null : form.fill(exchange, path, query, instance, trace.fields(trace.spanId))
      if (exchange === this.exchange) this.sent = { service, instance: instance?.address ?? null, request }
      if (request === null) throw new GatewayError('service-unavailable', 'Service unavailable')
      // The service's reply is unknown, so policies get an empty one.
      return new Reply(200, Headers.of(), null)
    }
  }
}
