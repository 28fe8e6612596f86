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

/** What would be sent, and to which instance. */
export interface WouldBeSent {
  readonly service: CurrentService
  /** Address of the one that its balancer would take; null where there is none. */
  readonly instance: string | null
  /** Null where nothing would be. */
  readonly request: OutgoingRequest | null
}

/** In place of what passes requests to services: tells what would be sent there, and sends nothing. */
export class DryForward {
  /** The exchange that it tells of: of others, such as copies of it, nothing is told. */
  exchange: Exchange | null = null
  /** What it would have sent for that; null where it was not reached. */
  sent: WouldBeSent | null = null
  private readonly holder: Holder

  /** The holder shares nothing with others. */
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
      // What services reply is not known: policies get a reply that says nothing.
      return new Reply(200, Headers.of(), null)
    }
  }
}
