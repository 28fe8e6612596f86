import { GatewayError } from '../core/errors.ts'
import type { Clock } from '../core/clock.ts'
import type { Counter, Metrics } from '../core/metrics.ts'
import { newUuid } from '../core/uuid.ts'
import { Bytes } from '../http/body.ts'
import type { ExchangeNotes } from '../http/exchange.ts'
import { fieldLine } from '../http/field-lines.ts'
import { headersFromWire } from '../http/headers.ts'
import { errorReply, PROBLEM_FIELDS, problemText } from '../http/problem.ts'
import { Reply } from '../http/reply.ts'
import type { OverloadBounds } from '../overload/control.ts'
import { Overload } from '../overload/overload.ts'
import { workMeter } from '../overload/work.ts'
import type { Priority } from '../services/concurrency/priority.ts'
import { RETRY_AFTER } from '../services/concurrency/retry-after.ts'

const ID = '<id>'
const TRACE = '<trace>'
const DETAIL = 'The gateway has more to do than it can: try again later.'

/** What is put together before, as whoever has too much to do should not have much to do with what it sheds. */
const replies = RETRY_AFTER.map((seconds) => {
  const error = new GatewayError('gateway-overloaded', DETAIL, { headers: [['Retry-After', seconds]] })
  const [beginning = '', middle = '', end = ''] = problemText(error, ID, TRACE).split(/<id>|<trace>/)
  return { error, beginning, middle, end, fields: PROBLEM_FIELDS + fieldLine('Retry-After', seconds) }
})

/** What snapshots know of how much the thread has to do. */
export interface Shedder {
  /** Whether anything is shed at the moment. */
  readonly active: boolean
  /** The reply to a request on its route that is shed; null for one that is not. */
  shed(exchange: ExchangeNotes, priority: Priority): Reply | null
}

/** Sheds requests of a thread that has more to do than it can. */
export class ThreadOverload implements Shedder {
  private readonly overload: Overload
  private readonly metrics: Metrics
  private readonly random: () => number
  private readonly counters = new Map<string, Counter>()
  private accepted: () => number = () => 0

  constructor(bounds: OverloadBounds | false, metrics: Metrics, clock: Clock, random: () => number) {
    this.overload = new Overload(bounds, { clock, random, work: workMeter(() => this.accepted()) })
    this.metrics = metrics
    this.random = random
  }

  /** Goes by how many connections the thread has accepted as well, for what they ask for. */
  watch(accepted: () => number): void {
    this.accepted = accepted
  }

  get active(): boolean {
    return this.overload.active
  }

  configure(bounds: OverloadBounds | false): void {
    this.overload.configure(bounds)
  }

  shed(exchange: ExchangeNotes, priority: Priority): Reply | null {
    if (!this.overload.sheds(priority)) return null
    this.count(exchange.route.service ?? '', priority)
    const { error, beginning, middle, end, fields } = replies[Math.floor(this.random() * replies.length)]!
    if (exchange.grpc !== null) return errorReply(error, exchange)
    // Policies have not named it yet.
    exchange.correlationId ||= newUuid()
    exchange.error = error
    const text = beginning + exchange.correlationId + middle + exchange.trace.traceId + end
    return new Reply(error.status, headersFromWire(fields), Bytes.fromText(text))
  }

  close(): void {
    this.overload.close()
  }

  private count(service: string, priority: Priority): void {
    const key = `${priority} ${service}`
    let counter = this.counters.get(key)
    if (counter === undefined) {
      counter = this.metrics.counter('sallyport_shed_total', { service, reason: 'overload', priority })
      this.counters.set(key, counter)
    }
    counter.add(1)
  }
}
