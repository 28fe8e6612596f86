import { GatewayError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { Counter, HeldMetrics, Metrics } from '../core/metrics.ts'
import { newUuid } from '../core/uuid.ts'
import { Bytes } from '../http/body.ts'
import type { ExchangeNotes } from '../http/exchange.ts'
import { fieldLine } from '../http/field-lines.ts'
import { headersFromWire } from '../http/headers.ts'
import { errorReply, PROBLEM_FIELDS, problemText } from '../http/problem.ts'
import { Reply } from '../http/reply.ts'
import type { OverloadBounds } from '../overload/control.ts'
import { Overload } from '../overload/overload.ts'
import { type Connections, workMeter } from '../overload/work.ts'
import type { Priority } from '../services/concurrency/priority.ts'
import { RETRY_AFTER } from '../services/concurrency/retry-after.ts'

const ID = '<id>'
const TRACE = '<trace>'
const DETAIL = 'The gateway is overloaded: try again later.'

/** Label value for routes without a service. */
const NO_SERVICE = ''

const NO_CONNECTIONS = { accepted: 0, waiting: () => 0 }

/** Prepared in advance, so that shedding costs an overloaded thread as little as possible. */
const replies = RETRY_AFTER.map((seconds) => {
  const error = new GatewayError('gateway-overloaded', DETAIL, { headers: [['Retry-After', seconds]] })
  const [beginning = '', middle = '', end = ''] = problemText(error, ID, TRACE).split(/<id>|<trace>/)
  return { error, beginning, middle, end, fields: PROBLEM_FIELDS + fieldLine('Retry-After', seconds) }
})

/** A snapshot's view of overload protection. */
export interface Shedder {
  /** Whether requests are currently being shed. */
  readonly active: boolean
  /** The reply to a request that is shed; null if it is not. */
  shed(exchange: ExchangeNotes, priority: Priority): Reply | null
}

/** Sheds requests of an overloaded thread. */
export class ThreadOverload implements Shedder {
  private readonly overload: Overload
  private readonly metrics: Metrics
  private readonly random: () => number
  private counters = new Map<string, Map<Priority, Counter>>()
  /** Holds the metrics of the current services. */
  private held: HeldMetrics
  private connections: () => Connections = () => NO_CONNECTIONS

  constructor(bounds: OverloadBounds | false, metrics: Metrics, clock: Clock, random: () => number) {
    this.overload = new Overload(bounds, { clock, random, work: workMeter(() => this.connections()) })
    this.metrics = metrics
    this.held = metrics.hold()
    this.random = random
  }

  /** Includes the connections to the thread in the measurement. */
  watch(connections: () => Connections): void {
    this.connections = connections
  }

  get active(): boolean {
    return this.overload.active
  }

  /** Applies these limits; metrics of removed services are kept for a while only. */
  configure(bounds: OverloadBounds | false, services: Readonly<Record<string, unknown>>): void {
    this.overload.configure(bounds)
    const { held, counters } = this
    this.held = this.metrics.hold()
    this.counters = new Map()
    for (const [service, priorities] of counters)
      if (service === NO_SERVICE || Object.hasOwn(services, service))
        for (const priority of priorities.keys()) this.counterOf(service, priority)
    held.release()
  }

  shed(exchange: ExchangeNotes, priority: Priority): Reply | null {
    if (!this.overload.sheds(priority)) return null
    this.counterOf(exchange.route.service ?? NO_SERVICE, priority).add(1)
    const { error, beginning, middle, end, fields } = replies[Math.floor(this.random() * replies.length)]!
    if (exchange.grpc !== null) return errorReply(error, exchange)
    // No policy has assigned the ID yet.
    exchange.correlationId ||= newUuid()
    exchange.error = error
    const text = beginning + exchange.correlationId + middle + exchange.trace.traceId + end
    return new Reply(error.status, headersFromWire(fields), Bytes.fromText(text))
  }

  close(): void {
    this.overload.close()
  }

  private counterOf(service: string, priority: Priority): Counter {
    const priorities = this.counters.get(service) ?? new Map<Priority, Counter>()
    const known = priorities.get(priority)
    if (known !== undefined) return known
    const counter = this.held.counter('sallyport_shed_total', { service, reason: 'overload', priority })
    this.counters.set(service, priorities.set(priority, counter))
    return counter
  }
}
