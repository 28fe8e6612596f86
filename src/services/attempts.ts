import { type Bytes, isStream } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import type { Timed } from '../http/deadlines.ts'
import type { Abortable, Exchange } from '../http/exchange.ts'
import type { BufferingListener, BufferedBody } from '../http/buffered-body.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import type { PendingReply } from '../http/pending-reply.ts'
import type { AttemptRecord } from '../http/record.ts'
import type { Reply } from '../http/reply.ts'
import { isRetried, isUnsent, finalError } from './after-failures.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import { deadlineExceeded, timeoutLine } from './call-reply.ts'
import { SHED } from './concurrency/limit.ts'
import { bufferBody, bufferArrived, bodyToBuffer } from './buffering.ts'
import type { Hedge } from './hedge/hedge.ts'
import type { RetryReason } from './instance-metrics.ts'
import { type FailureReason, isUnavailable, type OutcomeFault } from './outcome.ts'
import type { PooledInstance } from './pooled-instance.ts'
import { Replacements } from './replacements.ts'
import type { RequestForm } from './request-form.ts'
import { drain } from './retry/drain.ts'
import type { Retry } from './retry/retry.ts'
import type { Service } from './service.ts'

/**
 * The attempts to get one exchange answered: one at a time, or two with the service's `hedge` option.
 *
 * 0. Buffer a body that is still arriving, up to the amount the route allows, so that a slow client does not occupy a connection. Without a
 *    route setting, skip this if the client waits for 100 (Continue). For gRPC calls and bidirectional streams, use only what has already
 *    arrived: the service may have to send first.
 * 1. Check the service's concurrency limit. Pick an instance, never one that this exchange failed to connect to.
 * 2. Send the request to it (`Attempt`).
 * 3. If that takes long, also try another instance, according to the service's `hedge` option: the first reply wins.
 * 4. Try another instance where that may help (`Replacements`).
 * 5. Otherwise pass on the reply or the error.
 */
export class Attempts implements AttemptOwner, Abortable, BufferingListener, Timed {
  readonly exchange: Exchange
  readonly service: Service
  /** Deadline for the head of a reply, across all attempts. */
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1

  /** Whether the deadline was set by the client. */
  private ofClient = false

  private readonly form: RequestForm
  private readonly path: string
  private readonly query: string
  private readonly pending: PendingReply
  /** Whether the client no longer waits for a reply. */
  private done = false
  /** The token from the service's limit while the exchange counts toward it; SHED otherwise. */
  private admitted = SHED
  /** The instance that the client is bound to, if any. */
  private bound: PooledInstance | null = null
  /** The attempt in progress, or the last one. */
  private current: Attempt | null = null
  /** The concurrent second attempt, while there are two. */
  private second: Attempt | null = null
  /** The attempt that was started by `hedge`. */
  private hedge: Attempt | null = null
  /** Where to try next; null until the first attempt without a reply. */
  private others: Replacements | null = null
  /** Cancels the pending wait for an attempt. */
  private callOff: (() => void) | null = null
  /** Cancels the pending start of the hedged attempt. */
  private callOffHedge: (() => void) | null = null
  /** The buffered body, if buffering was necessary. */
  private body: BufferedBody | null = null
  /** Start of the period not yet attributed to the client or the service, in monotonic milliseconds. */
  private since = 0

  constructor(service: Service, form: RequestForm, path: string, exchange: Exchange, pending: PendingReply) {
    this.exchange = exchange
    this.service = service
    this.form = form
    this.path = path
    this.query = exchange.query
    this.pending = pending
  }

  /** The retry policy of the route, or otherwise of the service. */
  private get retry(): Retry | null {
    const { form, service } = this
    return form.retry === null ? service.retry : service.retryFor(form.retry)
  }

  get over(): boolean {
    return this.done || this.left
  }

  /** Starts with the first step. */
  begin(): void {
    const { exchange, service } = this
    const { body } = exchange
    const { buffer, streaming } = this.form
    if (!isStream(body) || (exchange.expectsContinue && !isBytes(buffer))) return this.first()
    // 0.
    this.since = service.clock.now()
    this.body = bodyToBuffer(body, exchange.client.address, buffer)
    if (exchange.grpc !== null || streaming || buffer === 0) bufferArrived(this.body, this)
    else if (isBytes(buffer)) this.body.buffer(this)
    else bufferBody(this.body, service.deadlines, this)
  }

  buffered(body: Bytes | BufferedBody): void {
    const { exchange, service } = this
    exchange.clientTime += service.clock.now() - this.since
    exchange.body = body
    this.first()
  }

  broken(error: Error): void {
    const { exchange, service } = this
    exchange.clientTime += service.clock.now() - this.since
    this.pending.fail(error)
  }

  // 1.
  private first(): void {
    const { service, exchange, form } = this
    if (service.limit !== null) {
      this.admitted = service.limit.admit(form.share)
      if (this.admitted === SHED) return this.fail(service.shedding.shed(form.priority))
    }
    const budget = this.retry?.budget ?? service.repeats
    budget?.earn()
    this.watchTime()
    if (this.done) return
    if (service.sticky !== null) this.bound = service.sticky.bound(exchange)
    const instance = this.bound ?? service.balancer.pick(exchange, null)
    if (instance === null) return this.fail(new GatewayError('service-unavailable', 'Service unavailable'))
    this.attempt(instance, false)
    if (service.hedge !== null) this.watchPace(service.hedge)
  }

  private watchTime(): void {
    const { service, exchange, form } = this
    const total = form.total === 0 ? Number.POSITIVE_INFINITY : form.total
    const left = exchange.grpc === null ? total : exchange.grpc.deadline - service.clock.now()
    const time = Math.min(total, left)
    if (time === Number.POSITIVE_INFINITY) return
    this.ofClient = left < total
    if (time <= 0) return this.fail(deadlineExceeded())
    this.deadline = service.deadlines.in(time)
    service.deadlines.watch(this)
  }

  // 2.
  private attempt(instance: PooledInstance, newConnection: boolean): void {
    const attempt = this.make(instance)
    this.current = attempt
    attempt.start(newConnection)
  }

  private make(instance: PooledInstance): Attempt {
    const { exchange } = this
    exchange.instance = instance.address
    exchange.attempts++
    exchange.waiter = this
    const attempt = new Attempt(this, instance)
    if (this.current === null) this.since = attempt.begun
    return attempt
  }

  requestFor(instance: PooledInstance, record: AttemptRecord | null): OutgoingRequest {
    const { exchange, form, path, query } = this
    if (record !== null) record.path = path
    const trace = exchange.trace.fields(record === null ? exchange.trace.spanId : record.spanId)
    const own = exchange.grpc === null ? trace : trace + timeoutLine(exchange.grpc, this.service.clock)
    return form.fill(exchange, path, query, instance, own)
  }

  // 3.
  private watchPace(hedge: Hedge): void {
    const { exchange, form, service } = this
    // A session would be lost on another instance.
    if (!form.hedge || this.bound !== null || !hedge.isFor(exchange)) return
    const { delay } = hedge
    if (delay === Number.POSITIVE_INFINITY) return
    this.callOffHedge = service.clock.after(delay, () => {
      this.callOffHedge = null
      this.startHedge(hedge)
    })
  }

  /** The first attempt takes long, so another instance is tried as well. */
  private startHedge(hedge: Hedge): void {
    const { service, exchange, current } = this
    if (current === null || current.isReported || this.over || exchange.attempts > 1) return
    const other = service.balancer.pick(exchange, [current.instance])
    if (other === null || !hedge.spend()) return
    exchange.retried = 'hedge'
    const attempt = this.make(other)
    if (attempt.record !== null) attempt.record.hedge = true
    this.hedge = this.second = attempt
    attempt.start(false)
  }

  /** The other attempt in progress, if there are two. */
  private besides(attempt: Attempt): Attempt | null {
    const { current, second } = this
    return second === null || attempt === current ? second : current
  }

  /** Continues with the other attempt alone. */
  private drop(attempt: Attempt): void {
    this.replacements().exclude(attempt)
    if (this.current === attempt) this.current = this.second
    this.second = null
  }

  // 4. and 5.
  replied(attempt: Attempt, reply: Reply): void {
    const { service, exchange } = this
    const { status, instance } = attempt
    attempt.stop(this.countTime())
    const other = this.besides(attempt)
    const waits = other !== null && isUnavailable(status)
    const next = other === null && status >= 500 && !this.over ? this.replacements().afterReply(attempt) : null
    attempt.again = waits || next !== null
    attempt.report()
    if (attempt.again) {
      if (waits) this.drop(attempt)
      attempt.next = next
      return this.discard(attempt, reply)
    }
    if (other !== null) {
      other.giveUp(this.since)
      this.current = attempt
      this.second = null
    }
    if (this.hedge !== null) {
      exchange.instance = instance.address
      service.hedge?.count(this.hedge === attempt)
    }
    this.release()
    service.sticky?.bind(exchange, instance, reply)
    this.body?.release()
    this.finish()
    attempt.followCall(reply)
    this.pending.settle(reply)
  }

  failed(attempt: Attempt, error: GatewayError): void {
    if (this.over) return this.deserted(attempt, error)
    attempt.stop(this.countTime())
    attempt.blame(error)
    const waits = this.besides(attempt) !== null
    const next = waits ? null : this.replacements().afterFailure(attempt)
    attempt.again = waits || next !== null
    attempt.report()
    if (waits) return this.drop(attempt)
    const { reason, fault } = attempt
    if (next === null || reason === null) return this.fail(isUnsent(reason) ? finalError(error) : error)
    if (isRetried(reason, fault)) return this.goOn(next, reason)
    this.note(reason)
    // Other idle connections may have been closed too, so a new connection is used.
    this.attempt(next, !isUnsent(reason))
  }

  stalled(attempt: Attempt): void {
    if (this.over || attempt.isReported) return
    if (this.besides(attempt) !== null) {
      attempt.again = true
      attempt.giveUp(this.countTime())
      return this.drop(attempt)
    }
    const next = this.replacements().afterStall(attempt)
    if (next === null) return
    attempt.again = true
    attempt.giveUp(this.countTime())
    this.note('stalled')
    this.attempt(next, false)
  }

  private replacements(): Replacements {
    this.others ??= new Replacements(this.exchange, this.service, this.retry, this.bound)
    return this.others
  }

  /** Discards a reply. The next attempt starts when the lane is free again or closed. */
  private discard(attempt: Attempt, { body, upgrade }: Reply): void {
    upgrade?.refuse()
    if (!isStream(body)) return
    if (attempt.passing) drain(body, this.service.deadlines)
    else body.cancel()
  }

  freed(attempt: Attempt): void {
    const { next } = attempt
    if (next === null) return
    attempt.next = null
    if (!this.done) this.goOn(next, 'status')
  }

  private goOn(next: PooledInstance, reason: FailureReason | 'status'): void {
    if (this.left) return this.fail(new GatewayError('client-closed'))
    const { service } = this
    const wait = this.retry?.wait(service.failuresOf(next)) ?? 0
    const begin = (): void => {
      this.callOff = null
      this.note(reason)
      this.attempt(next, false)
    }
    if (wait === 0) begin()
    else this.callOff = service.clock.after(wait, begin)
  }

  /** Records a further attempt and its reason. */
  private note(reason: RetryReason): void {
    this.service.retries.count(reason)
    this.exchange.retried = reason
  }

  /** The client has disconnected, or was told that there will be no reply. */
  private deserted(attempt: Attempt, error: GatewayError): void {
    this.endBy(attempt, 'client')
    this.fail(error)
  }

  /** Whether the client has disconnected and the request can be abandoned; some requests continue on behalf of others once sent. */
  private get left(): boolean {
    const { aborted, sent, outlivesClient } = this.exchange
    return aborted && !(sent && outlivesClient)
  }

  private endBy(attempt: Attempt, fault: OutcomeFault): void {
    if (!attempt.isReported) attempt.endBy(fault, this.countTime())
  }

  /** There will be no reply; the unsent rest of the body is discarded. */
  private fail(error: GatewayError): void {
    if (this.done) return
    if (this.hedge !== null) this.service.hedge?.count(false)
    this.release()
    this.body?.cancel()
    this.finish()
    this.pending.fail(error)
  }

  private finish(): void {
    this.done = true
    this.callOffHedge?.()
    this.service.deadlines.forget(this)
  }

  /** Stops counting toward the service's limit: the rest of a reply does not depend on the service alone. */
  private release(): void {
    if (this.admitted === SHED) return
    this.service.limit?.release(this.admitted)
    this.admitted = SHED
  }

  abort(): void {
    const { current, second } = this
    if (this.waitsNoMore()) return this.fail(new GatewayError('client-closed'))
    // Released now, as the exchange ends before its lane is free.
    this.release()
    for (const attempt of [current, second]) {
      if (attempt === null) continue
      this.endBy(attempt, 'client')
      attempt.cancel()
    }
  }

  /** The overall deadline has passed. */
  onDeadline(): void {
    if (this.done) return
    const { current, second, ofClient } = this
    const error = ofClient
      ? deadlineExceeded()
      : new GatewayError('gateway-timeout', 'The service did not reply in time.')
    this.waitsNoMore()
    for (const attempt of [current, second]) if (attempt !== null && !attempt.isReported) this.timeOut(attempt, error)
    this.fail(error)
    current?.cancel()
    second?.cancel()
  }

  private timeOut(attempt: Attempt, error: GatewayError): void {
    const { ofClient, exchange } = this
    attempt.error = error
    attempt.reason = ofClient ? null : 'timeout'
    attempt.record?.failed(error)
    // If earlier attempts or a slow client used up part of the time, the last instance is not to blame.
    const whole = exchange.attempts === 1 && !attempt.streamed
    this.endBy(attempt, ofClient ? 'client' : whole ? 'instance' : 'gateway')
  }

  /** Cancels the pending wait; returns whether there was one. */
  private waitsNoMore(): boolean {
    const { callOff } = this
    this.callOff = null
    callOff?.()
    return callOff !== null
  }

  /** Attributes the time up to now to the service; returns the current monotonic time in milliseconds. */
  private countTime(): number {
    const now = this.service.clock.now()
    this.exchange.serviceTime += now - this.since
    this.since = now
    return now
  }
}

/** Whether the route sets the number of bytes to buffer. */
function isBytes(buffer: number | null): buffer is number {
  return buffer !== null && buffer > 0
}
