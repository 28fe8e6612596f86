import { type Bytes, isStream } from '../http/body.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Timed } from '../http/deadlines.ts'
import type { Abortable, Exchange } from '../http/exchange.ts'
import { type Awaiting, GatheredBody } from '../http/gathered-body.ts'
import { statusOfInstance } from '../grpc/http-status.ts'
import type { GrpcStatus } from '../grpc/status.ts'
import type { Headers } from '../http/headers.ts'
import type { Lane, ReplyListener } from '../http/lane.ts'
import { NotProcessed } from '../http/lane-errors.ts'
import type { PendingReply } from '../http/pending-reply.ts'
import type { AttemptRecord } from '../http/record.ts'
import type { Reply } from '../http/reply.ts'
import { CallReply, deadlineExceeded, statusIn, timeoutLine } from './call-reply.ts'
import { isRetried, isUnsent, lastWord, MOST_REFUSALS } from './after-failures.ts'
import { SHED } from './concurrency/limit.ts'
import { gather, gatherWhatIsHere } from './gathering.ts'
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
import { drain } from './retry/drain.ts'
import { mayRepeat } from './retry/retry.ts'
import type { Service } from './service.ts'

/**
 * The attempts to get one exchange answered.
 *
 * 0. Have a body that is still arriving gathered, unless the client waits to be asked for it: a slow one holds no connection. Of a call of
 *    gRPC, and where both sides may go on sending, only what is here already: the service may have something to say first.
 * 1. See whether the service may have so much to do. Pick an instance, never one that could not be connected to before.
 * 2. Take a lane to it, one that is free if there is one.
 * 3. Send the request.
 * 4. Report how the attempt ended, to all who listen to the service's: nothing is made for that, as this is the outcome as well.
 * 5. Ask another instance where that may help:
 *    - Nothing was sent, as no connection could be made, or none was free: until each has been asked, whatever the request is.
 *    - An idle connection was closed just then (RFC 9112 section 9.3.1): once, over a new connection and of the same instance where there is no
 *      other, if the method is idempotent and the body can be sent again (RFC 9110 section 9.2.2). The service has not begun with it, so this is no load
 *      that would need a budget.
 *    - The service has said that it does nothing with it (RFC 9113 section 8.7): up to MOST_REFUSALS times, whatever the request is, if its body
 *      can be sent again; of another instance, or of the same one over another connection.
 *    - The instance failed, or replied that it cannot: by `retry` of the service.
 * 6. Else pass on the reply, or what went wrong.
 */
export class Attempts implements ReplyListener, Abortable, Awaiting, Timed, Outcome<PooledInstance> {
  readonly exchange: Exchange
  instance!: PooledInstance
  phase: OutcomePhase = 'connect'
  status = 0
  grpcStatus: GrpcStatus | null = null
  error: GatewayError | null = null
  reason: FailureReason | null = null
  fault: OutcomeFault = 'none'
  took = 0
  again = false
  passing = false
  /** When all of the attempts have to have come to a reply. */
  deadline = Number.POSITIVE_INFINITY

  /** That is what the client has given it. */
  private ofClient = false

  private readonly service: Service
  private readonly form: RequestForm
  private readonly path: string
  private readonly query: string
  private readonly pending: PendingReply
  /** No attempt is under way that nobody has been told the outcome of. */
  private told = true
  /** Nobody waits for a reply any more. */
  private done = false
  /** What the limit of the service has given for it, while it is counted there; SHED otherwise. */
  private admitted = SHED
  /** The one that the client is bound to, if any. */
  private bound: PooledInstance | null = null
  /** The one that the request is counted for at the moment. */
  private counted: PooledInstance | null = null
  private lane: Lane | null = null
  private tried: PooledInstance[] | null = null
  private repeated = false
  /** How often it was sent again as nobody had begun with it. */
  private refusals = 0
  /** How often `retry` has had it sent again. */
  private retries = 0
  /** The one that is asked when the lane has done with the reply of the one before. */
  private next: PooledInstance | null = null
  /** The reply is one to a call of gRPC, whose end is not here yet. */
  private follows = false
  /** Calls off the attempt that is waited for. */
  private callOff: (() => void) | null = null
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
    if (exchange.grpc !== null || this.form.streaming) gatherWhatIsHere(this.body, this)
    else gather(this.body, service.deadlines, this)
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
    const { service, exchange, form } = this
    if (service.limit !== null) {
      this.admitted = service.limit.admit(form.share)
      if (this.admitted === SHED) return this.fail(service.shedding.shed(form.priority))
    }
    service.retry?.budget.earn()
    this.watchTime()
    if (this.done) return
    if (service.sticky !== null) this.bound = service.sticky.bound(exchange)
    const instance = this.bound ?? service.balancer.pick(exchange, null)
    if (instance === null) return this.fail(new GatewayError('service-unavailable', 'Service unavailable'))
    this.attempt(instance, false)
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
    this.grpcStatus = null
    this.error = this.reason = null
    this.fault = 'none'
    this.again = this.passing = this.told = false
    instance.begin()
    exchange.instance = instance.address
    exchange.attempts++
    exchange.waiter = this
    this.begun = this.service.clock.now()
    if (exchange.record !== null) this.record = exchange.record.attempt(instance.address)
    for (const listener of this.service.beginners) listener.began?.(this)
  }

  // 3.
  private send(lane: Lane, instance: PooledInstance): void {
    const { exchange, record } = this
    if (this.left || this.done) {
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
    const own = exchange.grpc === null ? trace : trace + timeoutLine(exchange.grpc, this.service.clock)
    lane.exchange(this.form.fill(exchange, this.path, this.query, instance, own), this)
  }

  // 4.
  private report(): void {
    this.told = true
    for (const listener of this.service.listeners) listener.ended(this)
  }

  // 5. and 6.
  informed(status: number, headers: Headers): void {
    if (!this.done) this.exchange.inform(status, headers)
  }

  replied(reply: Reply, lasting: boolean): void {
    const { instance, service } = this
    this.took = this.over()
    this.phase = 'body'
    const status = this.statusOf(reply)
    this.status = status
    this.passing = !lasting && isStream(reply.body)
    const next = status >= 500 && service.retry?.isFor(status) === true ? this.retryOn() : null
    this.again = next !== null
    this.report()
    if (this.record !== null) this.record.status = reply.status
    if (next !== null) return this.discard(reply, next)
    this.release()
    service.sticky?.bind(this.exchange, instance, reply)
    this.body?.release()
    this.finish()
    this.followCall(reply)
    this.pending.settle(reply)
  }

  /** Of the reply to a call of gRPC the status that stands in its head where it is all there is ("Trailers-Only"). */
  private statusOf({ status, headers, body }: Reply): number {
    if (this.exchange.grpc === null || status !== 200 || isStream(body)) return status
    this.grpcStatus = statusIn(headers)
    return this.grpcStatus === null ? status : statusOfInstance(this.grpcStatus)
  }

  /** Has what comes of a reply to a call of gRPC looked at, up to how the call ended. */
  private followCall(reply: Reply): void {
    const { exchange, service } = this
    const { grpc } = exchange
    if (grpc === null) return
    const { body } = reply
    if (!isStream(body)) {
      grpc.status = statusIn(reply.headers)
      if (this.record !== null) this.record.grpcStatus = grpc.status
      return
    }
    this.follows = true
    reply.body = new CallReply(body, grpc, exchange, service.deadlines, (status) => this.callEnded(status))
  }

  /** Nothing more of the call comes from the instance; its lane may have been done with it before. */
  private callEnded(status: GrpcStatus | null): void {
    this.follows = false
    this.grpcStatus = status
    if (status !== null && this.status === 200) this.status = statusOfInstance(status)
    if (this.record !== null) this.record.grpcStatus = status
    if (this.passing && this.lane === null) this.wholeReply()
  }

  failed(error: GatewayError): void {
    this.leave()
    this.record?.failed(error)
    if (this.left || this.done) return this.deserted(error)
    const reason = failureReason(error)
    this.took = this.over()
    this.error = error
    this.reason = reason
    this.fault = outcomeFault(error, reason)
    const next = this.replacement()
    this.again = next !== null
    this.report()
    if (next === null || reason === null) return this.fail(isUnsent(reason) ? lastWord(error) : error)
    if (isRetried(reason, this.fault)) return this.goOn(next, reason)
    this.note(reason)
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
  private replacement(): PooledInstance | null {
    const { service, exchange, reason, fault } = this
    if (isUnsent(reason)) return service.balancer.pick(exchange, this.triedAll())
    if (reason === 'refused') return this.sendAgain()
    if (fault === 'connection') return this.repeat()
    return isRetried(reason, fault) ? this.retryOn() : null
  }

  /** The one that gets what another one has not begun with; where there is no other, the same. */
  private sendAgain(): PooledInstance | null {
    const { service, exchange, instance, error } = this
    const lost = isStream(exchange.body) && !(error instanceof NotProcessed && error.untouched)
    if (this.refusals === MOST_REFUSALS || lost) return null
    this.refusals++
    if (this.bound === instance) return instance
    return service.balancer.pick(exchange, this.triedAll()) ?? instance
  }

  /** The one that the request is sent to once more, as its connection was closed for being idle. */
  private repeat(): PooledInstance | null {
    const { service, exchange, instance } = this
    if (this.repeated || !mayRepeat(exchange)) return null
    this.repeated = true
    // What is bound to the instance would be lost elsewhere, and it may be all right.
    if (this.bound === instance) return instance
    return service.balancer.pick(exchange, this.triedAll()) ?? instance
  }

  /** The one that is asked in place of one that failed, if `retry` and its budget allow that. */
  private retryOn(): PooledInstance | null {
    const { service, exchange, retries } = this
    const { retry } = service
    if (retry === null || this.done || this.left || !retry.allows(exchange, retries)) return null
    // A session would be lost elsewhere; an instance that replies can say so itself.
    if (this.status !== 0 && this.bound === this.instance) return null
    const next = service.balancer.pick(exchange, this.triedAll())
    if (next === null || !retry.spend()) return null
    this.retries++
    return next
  }

  private triedAll(): PooledInstance[] {
    this.tried ??= []
    this.tried.push(this.instance)
    return this.tried
  }

  /** Nobody gets that reply: `next` is asked when its lane is free, or closed. */
  private discard({ body, upgrade }: Reply, next: PooledInstance): void {
    this.next = next
    upgrade?.refuse()
    if (!isStream(body)) return
    if (this.passing) drain(body, this.service.deadlines)
    else body.cancel()
  }

  private goOn(next: PooledInstance, reason: FailureReason | 'status'): void {
    if (this.left) return this.deserted(new GatewayError('client-closed'))
    const { service } = this
    const wait = service.retry?.wait(service.failuresOf(next)) ?? 0
    const begin = (): void => {
      this.callOff = null
      // The service has had that time as well.
      this.over()
      this.note(reason)
      this.attempt(next, false)
    }
    if (wait === 0) begin()
    else this.callOff = service.clock.after(wait, begin)
  }

  /** There is one attempt more, for that reason. */
  private note(reason: FailureReason | 'status'): void {
    this.service.retries.count(reason)
    this.exchange.retried = reason
  }

  /** The client has left, or has been told that there is no reply. */
  private deserted(error: GatewayError): void {
    this.tellLeft()
    this.fail(error)
  }

  /** Whether nobody waits for a reply any more, as the client has left; some requests go on for others once they were sent. */
  private get left(): boolean {
    const { aborted, sent, outlivesClient } = this.exchange
    return aborted && !(sent && outlivesClient)
  }

  private tellLeft(): void {
    if (this.told) return
    this.took = this.over()
    this.fault = 'client'
    this.report()
  }

  /** There will be no reply. Nobody takes what has not been sent of the body. */
  private fail(error: GatewayError): void {
    if (this.done) return
    this.release()
    this.body?.cancel()
    this.finish()
    this.pending.fail(error)
  }

  private finish(): void {
    this.done = true
    if (this.deadline < Number.POSITIVE_INFINITY) this.service.deadlines.forget(this)
  }

  finished(): void {
    if (this.passing && !this.follows) this.wholeReply()
    this.instance.endExchange()
    this.leave()
    this.record?.finished()
    this.lane = null
    const { next } = this
    if (next === null) return
    this.next = null
    if (!this.done) this.goOn(next, 'status')
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
    if (this.waitsNoMore()) return this.fail(new GatewayError('client-closed'))
    // Now, as the exchange is over before the lane is.
    this.release()
    this.tellLeft()
    this.lane?.cancel()
  }

  /** All of it has taken too long. */
  onDeadline(): void {
    if (this.done) return
    const error = this.ofClient
      ? deadlineExceeded()
      : new GatewayError('gateway-timeout', 'The service did not reply in time.')
    this.waitsNoMore()
    if (!this.told) {
      this.took = this.over()
      this.error = error
      this.reason = this.ofClient ? null : 'timeout'
      // Of what others have had of the time, or the client, the last one is not to blame.
      this.fault = this.exchange.attempts === 1 && !this.streamed ? 'instance' : 'gateway'
      if (this.ofClient) this.fault = 'client'
      this.record?.failed(error)
      this.report()
    }
    this.fail(error)
    this.lane?.cancel()
  }

  /** Whether an attempt was waited for, which is called off. */
  private waitsNoMore(): boolean {
    const { callOff } = this
    this.callOff = null
    callOff?.()
    return callOff !== null
  }

  /** The attempt is: how long it took, in milliseconds. */
  private over(): number {
    const now = this.service.clock.now()
    const took = now - this.begun
    this.begun = now
    this.exchange.serviceTime += took
    return took
  }
}
