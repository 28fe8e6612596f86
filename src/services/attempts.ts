import { Bytes, isStream } from '../http/body.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Abortable, Exchange } from '../http/exchange.ts'
import { type Awaiting, GatheredBody } from '../http/gathered-body.ts'
import type { Headers } from '../http/headers.ts'
import type { Lane, ReplyListener } from '../http/lane.ts'
import { ClosedBeforeReply, HandshakeFailed } from '../http/lane-errors.ts'
import type { PendingReply } from '../http/pending-reply.ts'
import type { AttemptRecord } from '../http/record.ts'
import type { Reply } from '../http/reply.ts'
import { SHED } from './concurrency/limit.ts'
import { gather } from './gathering.ts'
import {
  type FailureReason,
  failureReason,
  type Outcome,
  type OutcomeFault,
  outcomeFault,
  type OutcomePhase,
} from './outcome.ts'
import type { PooledInstance } from './pooled-instance.ts'
import type { RequestForm } from './request-form.ts'
import type { Service } from './service.ts'

/** RFC 9110 section 9.2.2, and QUERY (safe, so idempotent). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'])

/**
 * The attempts to get one exchange answered.
 *
 * 0. Have a body that is still arriving gathered, unless the client waits to be asked for it: a slow one holds no connection.
 * 1. See whether the service may have so much to do. Pick an instance, never one that could not be connected to before.
 * 2. Take a lane to it, one that is free if there is one.
 * 3. Send the request.
 * 4. Report how the attempt ended, to all who listen to the service's: nothing is made for that, as this is the outcome as well.
 * 5. Pass on the reply, or what went wrong. An instance that cannot be connected to, or has no connection free,
 *    makes way for the next one. One that closes the connection before the head of a reply is whole makes way once,
 *    if the method is idempotent and the body can be sent again (RFC 9110 section 9.2.2). Where there is no other
 *    instance, the same one is asked over a new connection if the old one had served before: it may just have closed
 *    it for being idle (RFC 9112 section 9.3.1).
 */
export class Attempts implements ReplyListener, Abortable, Awaiting, Outcome<PooledInstance> {
  readonly exchange: Exchange
  instance!: PooledInstance
  phase: OutcomePhase = 'connect'
  status = 0
  error: GatewayError | null = null
  reason: FailureReason | null = null
  fault: OutcomeFault = 'none'
  took = 0
  again = false
  passing = false

  private readonly service: Service
  private readonly form: RequestForm
  private readonly path: string
  private readonly query: string
  private readonly pending: PendingReply
  /** No attempt is under way that nobody has been told the outcome of. */
  private told = true
  /** What the limit of the service has given for it, while it is counted there; SHED otherwise. */
  private admitted = SHED
  /** The one that the client is bound to, if any. */
  private bound: PooledInstance | null = null
  /** The one that the request is counted for at the moment. */
  private counted: PooledInstance | null = null
  private lane: Lane | null = null
  private tried: PooledInstance[] | null = null
  private sentAgain = false
  /** The body as it was gathered, where it had to be. */
  private body: GatheredBody | null = null
  /** When the attempt began, or the last one was over, in monotonic milliseconds. */
  private begun = 0
  private record: AttemptRecord | null = null

  constructor(service: Service, form: RequestForm, path: string, exchange: Exchange, pending: PendingReply) {
    this.exchange = exchange
    this.service = service
    this.form = form
    this.path = path
    this.query = exchange.query
    this.pending = pending
  }

  get streamed(): boolean {
    return isStream(this.exchange.body)
  }

  /** Begins with what comes first. */
  begin(): void {
    const { exchange, service } = this
    const { body } = exchange
    if (!isStream(body) || exchange.expectsContinue) return this.first()
    // 0.
    this.begun = service.clock.now()
    this.body = new GatheredBody(body)
    gather(this.body, service.deadlines, this)
  }

  gathered(body: Bytes | GatheredBody): void {
    const { exchange, service } = this
    exchange.clientTime += service.clock.now() - this.begun
    exchange.body = body
    this.first()
  }

  broken(error: Error): void {
    const { exchange, service } = this
    exchange.clientTime += service.clock.now() - this.begun
    this.pending.fail(error)
  }

  // 1.
  private first(): void {
    const { service, exchange } = this
    if (service.limit !== null) {
      this.admitted = service.limit.admit(this.form.share)
      if (this.admitted === SHED) return this.fail(service.shedding.shed(this.form.priority))
    }
    if (service.sticky !== null) this.bound = service.sticky.bound(exchange)
    const instance = this.bound ?? service.balancer.pick(exchange, null)
    if (instance === null) return this.fail(new GatewayError('service-unavailable', 'Service unavailable'))
    this.attempt(instance, false)
  }

  // 2.
  private attempt(instance: PooledInstance, newConnection: boolean): void {
    this.choose(instance)
    const lane = newConnection ? null : instance.pool.take(this.exchange.client.address)
    if (lane !== null) return this.send(lane, instance)
    instance.pool.acquire(this.exchange.client.address).then(
      (acquired) => this.send(acquired, instance),
      (error: unknown) => this.failed(asGatewayError(error)),
    )
  }

  private choose(instance: PooledInstance): void {
    const { exchange } = this
    this.instance = this.counted = instance
    this.phase = 'connect'
    this.status = this.took = 0
    this.error = this.reason = null
    this.fault = 'none'
    this.again = this.passing = this.told = false
    instance.begin()
    exchange.instance = instance.address
    exchange.waiter = this
    this.begun = this.service.clock.now()
    if (exchange.record !== null) this.record = exchange.record.attempt(instance.address)
    for (const listener of this.service.beginners) listener.began?.(this)
  }

  // 3.
  private send(lane: Lane, instance: PooledInstance): void {
    const { exchange, record } = this
    if (exchange.aborted) {
      this.leave()
      lane.giveBack()
      return this.deserted(new GatewayError('client-closed'))
    }
    this.lane = lane
    this.phase = 'reply'
    exchange.sent = true
    instance.beginExchange()
    if (record !== null) record.path = this.path
    const trace = exchange.trace.fields(record === null ? exchange.trace.spanId : record.spanId)
    lane.exchange(this.form.fill(exchange, this.path, this.query, instance, trace), this)
  }

  // 4.
  private report(): void {
    this.told = true
    for (const listener of this.service.listeners) listener.ended(this)
  }

  // 5.
  informed(status: number, headers: Headers): void {
    this.exchange.inform(status, headers)
  }

  replied(reply: Reply, lasting: boolean): void {
    const { instance, service } = this
    this.release()
    this.took = this.over()
    this.phase = 'body'
    this.status = reply.status
    this.passing = !lasting && isStream(reply.body)
    this.report()
    service.sticky?.bind(this.exchange, instance, reply)
    if (this.record !== null) this.record.status = reply.status
    this.body?.release()
    this.pending.settle(reply)
  }

  failed(error: GatewayError): void {
    this.leave()
    this.record?.failed(error)
    const { aborted, outlivesClient } = this.exchange
    if (aborted && !outlivesClient) return this.deserted(error)
    const reason = failureReason(error)
    this.took = this.over()
    this.error = error
    this.reason = reason
    this.fault = outcomeFault(error, reason)
    const next = this.replacement(error, reason)
    this.again = next !== null
    this.report()
    if (next === null) return this.fail(isUnsent(reason) ? lastWord(error) : error)
    if (reason !== null) this.service.retries.count(reason)
    // Idle connections may be closed like the one before.
    this.attempt(next, !isUnsent(reason))
  }

  brokeOff(error: GatewayError): void {
    if (!this.passing) return
    this.passing = false
    const reason = failureReason(error)
    this.error = error
    this.reason = reason
    this.fault = outcomeFault(error, reason)
    for (const listener of this.service.listeners) listener.brokeOff?.(this)
  }

  /** The instance that is asked next, as that went wrong; null where the client is told. */
  private replacement(error: GatewayError, reason: FailureReason | null): PooledInstance | null {
    const { service, exchange, instance } = this
    const unsent = isUnsent(reason)
    const closed = error instanceof ClosedBeforeReply && !this.sentAgain && this.mayRepeat()
    if (!unsent && !closed) return null
    this.tried ??= []
    this.tried.push(instance)
    if (unsent) return service.balancer.pick(exchange, this.tried)
    const stale = this.fault === 'connection'
    // What is bound to the instance would be lost elsewhere, and it may be all right.
    const stays = stale && this.bound === instance
    const other = stays ? null : service.balancer.pick(exchange, this.tried)
    const next = other ?? (stale ? instance : null)
    if (next !== null) this.sentAgain = true
    return next
  }

  /** The client has left. */
  private deserted(error: GatewayError): void {
    this.tellLeft()
    this.fail(error)
  }

  private tellLeft(): void {
    if (this.told) return
    this.took = this.over()
    this.fault = 'client'
    this.report()
  }

  /** There will be no reply. Nobody takes what has not been sent of the body. */
  private fail(error: GatewayError): void {
    this.release()
    this.body?.cancel()
    this.pending.fail(error)
  }

  finished(): void {
    if (this.passing) this.wholeReply()
    this.instance.endExchange()
    this.leave()
    this.record?.finished()
    this.lane = null
  }

  /** It waits for the service no longer: what is left of a reply is not the service's work alone. */
  private release(): void {
    if (this.admitted === SHED) return
    this.service.limit?.release(this.admitted)
    this.admitted = SHED
  }

  private wholeReply(): void {
    this.passing = false
    for (const listener of this.service.listeners) listener.passed?.(this)
  }

  /** The request is no load of the instance any more. */
  private leave(): void {
    this.counted?.end()
    this.counted = null
  }

  abort(): void {
    // Now, as the exchange is over before the lane is.
    this.release()
    this.tellLeft()
    this.lane?.cancel()
  }

  /** The attempt is: how long it took, in milliseconds. */
  private over(): number {
    const now = this.service.clock.now()
    const took = now - this.begun
    this.begun = now
    this.exchange.serviceTime += took
    return took
  }

  private mayRepeat(): boolean {
    const { method, body } = this.exchange
    return IDEMPOTENT.has(method) && (body === null || body instanceof Bytes)
  }
}

/** Whether nothing was sent: no connection could be made, or none became free. */
function isUnsent(reason: FailureReason | null): boolean {
  return reason === 'connect' || reason === 'tls' || reason === 'busy'
}

/** What the client is told where no instance is left, which the last one failed with. */
function lastWord(cause: GatewayError): GatewayError {
  if (cause.code === 'too-busy' || cause instanceof HandshakeFailed) return cause
  return new GatewayError('service-unavailable', 'Service unavailable', { cause })
}
