import { type Bytes, isStream } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import type { Timed } from '../http/deadlines.ts'
import type { Abortable, Exchange } from '../http/exchange.ts'
import type { Awaiting, GatheredBody } from '../http/gathered-body.ts'
import { NotProcessed } from '../http/lane-errors.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import type { PendingReply } from '../http/pending-reply.ts'
import type { AttemptRecord } from '../http/record.ts'
import type { Reply } from '../http/reply.ts'
import { isRetried, isUnsent, lastWord, MOST_REFUSALS } from './after-failures.ts'
import { Attempt, type AttemptOwner } from './attempt.ts'
import { deadlineExceeded, timeoutLine } from './call-reply.ts'
import { SHED } from './concurrency/limit.ts'
import { gather, gatherWhatIsHere, toGather } from './gathering.ts'
import type { Hedge } from './hedge/hedge.ts'
import type { RetryReason } from './instance-metrics.ts'
import { type FailureReason, isUnavailable, type OutcomeFault } from './outcome.ts'
import type { PooledInstance } from './pooled-instance.ts'
import type { RequestForm } from './request-form.ts'
import { drain } from './retry/drain.ts'
import { isSafe, mayRepeat, type Retry } from './retry/retry.ts'
import type { Service } from './service.ts'

/**
 * The attempts to get one exchange answered: one after the other, and by `hedge` of the service two at a time.
 *
 * 0. Have a body that is still arriving gathered, as much of it as the route says; where it says nothing, unless the client waits to be asked for
 *    it: a slow one holds no connection. Of a call of
 *    gRPC, and where both sides may go on sending, only what is here already: the service may have something to say first.
 * 1. See whether the service may have so much to do. Pick an instance, never one that could not be connected to before.
 * 2. Have it asked (`Attempt`).
 * 3. Where that takes long, ask another one as well, by `hedge` of the service: the first reply counts.
 * 4. Ask another instance where that may help:
 *    - Nothing was sent, as the connection failed, or none was free: until each has been asked, whatever the request is.
 *    - An idle connection was closed just then (RFC 9112 section 9.3.1): once, over a new connection and of the same instance where there is no
 *      other, if the method is idempotent and the body can be sent again (RFC 9110 section 9.2.2). The service has not begun with it, so this is no load
 *      that would need a budget.
 *    - The service has said that it does nothing with it (RFC 9113 section 8.7): up to MOST_REFUSALS times, whatever the request is, if its body
 *      can be sent again; of another instance, or of the same one over another connection.
 *    - The instance failed, or replied that it cannot, or is ejected as nothing comes from it: by `retry` of the service.
 * 5. Else pass on the reply, or what went wrong.
 */
export class Attempts implements AttemptOwner, Abortable, Awaiting, Timed {
  readonly exchange: Exchange
  readonly service: Service
  /** When all of the attempts have to have come to a reply. */
  deadline = Number.POSITIVE_INFINITY

  /** That is what the client has given it. */
  private ofClient = false

  private readonly form: RequestForm
  private readonly path: string
  private readonly query: string
  private readonly pending: PendingReply
  /** Nobody waits for a reply any more. */
  private done = false
  /** What the limit of the service has given for it, while it is counted there; SHED otherwise. */
  private admitted = SHED
  /** The one that the client is bound to, if any. */
  private bound: PooledInstance | null = null
  /** The attempt that is under way, or was last. */
  private current: Attempt | null = null
  /** The one beside it, while there are two. */
  private second: Attempt | null = null
  /** The one that was made by `hedge`. */
  private hedge: Attempt | null = null
  private tried: PooledInstance[] | null = null
  private repeated = false
  /** How often it was sent again as nobody had begun with it. */
  private refusals = 0
  /** How often `retry` has had it sent again. */
  private retries = 0
  /** Calls off the attempt that is waited for. */
  private callOff: (() => void) | null = null
  /** Calls off the one beside the first. */
  private callOffHedge: (() => void) | null = null
  /** The body as it was gathered, where it had to be. */
  private body: GatheredBody | null = null
  /** From when on time has not been counted yet as the client's or the service's, in monotonic milliseconds. */
  private since = 0

  constructor(service: Service, form: RequestForm, path: string, exchange: Exchange, pending: PendingReply) {
    this.exchange = exchange
    this.service = service
    this.form = form
    this.path = path
    this.query = exchange.query
    this.pending = pending
  }

  /** What sends it again, as the route or else the service says. */
  private get retry(): Retry | null {
    const { form, service } = this
    return form.retry === null ? service.retry : service.retryFor(form.retry)
  }

  get over(): boolean {
    return this.done || this.left
  }

  /** Begins with what comes first. */
  begin(): void {
    const { exchange, service } = this
    const { body } = exchange
    const { buffer, streaming } = this.form
    if (!isStream(body) || (exchange.expectsContinue && !isOctets(buffer))) return this.first()
    // 0.
    this.since = service.clock.now()
    this.body = toGather(body, exchange.client.address, buffer)
    if (exchange.grpc !== null || streaming || buffer === 0) gatherWhatIsHere(this.body, this)
    else if (isOctets(buffer)) this.body.gather(this)
    else gather(this.body, service.deadlines, this)
  }

  gathered(body: Bytes | GatheredBody): void {
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
    // A session would be lost elsewhere.
    if (!form.hedge || this.bound !== null || !hedge.isFor(exchange)) return
    const { delay } = hedge
    if (delay === Number.POSITIVE_INFINITY) return
    this.callOffHedge = service.clock.after(delay, () => {
      this.callOffHedge = null
      this.askBeside(hedge)
    })
  }

  /** The first attempt takes long: another instance is asked as well. */
  private askBeside(hedge: Hedge): void {
    const { service, exchange, current } = this
    if (current === null || current.told || this.over || exchange.attempts > 1) return
    const other = service.balancer.pick(exchange, [current.instance])
    if (other === null || !hedge.spend()) return
    exchange.retried = 'hedge'
    const attempt = this.make(other)
    if (attempt.record !== null) attempt.record.hedge = true
    this.hedge = this.second = attempt
    attempt.start(false)
  }

  /** The attempt that is under way beside that one. */
  private besides(attempt: Attempt): Attempt | null {
    const { current, second } = this
    return second === null || attempt === current ? second : current
  }

  /** Goes on with the other one alone. */
  private drop(attempt: Attempt): void {
    this.triedAll(attempt)
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
    const next = other === null && status >= 500 && this.retry?.isFor(status) === true ? this.retryOn(attempt) : null
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
    const next = waits ? null : this.replacement(attempt)
    attempt.again = waits || next !== null
    attempt.report()
    if (waits) return this.drop(attempt)
    const { reason, fault } = attempt
    if (next === null || reason === null) return this.fail(isUnsent(reason) ? lastWord(error) : error)
    if (isRetried(reason, fault)) return this.goOn(next, reason)
    this.note(reason)
    // Idle connections may be closed like the one before.
    this.attempt(next, !isUnsent(reason))
  }

  stranded(attempt: Attempt): void {
    if (this.over || attempt.told) return
    if (this.besides(attempt) !== null) {
      attempt.again = true
      attempt.giveUp(this.countTime())
      return this.drop(attempt)
    }
    // Whoever has it may go on with it at any time, when what it asks for is out of date.
    const mayMove = attempt.phase === 'connect' || isSafe(this.exchange)
    const next = mayMove ? this.movedFrom(attempt) : null
    if (next === null) return
    attempt.again = true
    attempt.giveUp(this.countTime())
    this.note('stalled')
    this.attempt(next, false)
  }

  /** The instance that is asked in place of one that stalls: without a budget where nothing has been sent there. */
  private movedFrom(attempt: Attempt): PooledInstance | null {
    if (attempt.phase !== 'connect') return this.retryOn(attempt)
    return this.service.balancer.pick(this.exchange, this.triedAll(attempt))
  }

  /** The instance that is asked next, as that went wrong; null where the client is told. */
  private replacement(attempt: Attempt): PooledInstance | null {
    const { service, exchange } = this
    const { reason, fault } = attempt
    if (isUnsent(reason)) return service.balancer.pick(exchange, this.triedAll(attempt))
    if (reason === 'refused') return this.sendAgain(attempt)
    if (fault === 'connection') return this.repeat(attempt)
    return isRetried(reason, fault) ? this.retryOn(attempt) : null
  }

  /** The one that gets what another one has not begun with; where there is no other, the same. */
  private sendAgain(attempt: Attempt): PooledInstance | null {
    const { service, exchange } = this
    const { instance, error } = attempt
    const lost = isStream(exchange.body) && !(error instanceof NotProcessed && error.untouched)
    if (this.refusals === MOST_REFUSALS || lost) return null
    this.refusals++
    if (this.bound === instance) return instance
    return service.balancer.pick(exchange, this.triedAll(attempt)) ?? instance
  }

  /** The one that the request is sent to once more, as its connection was closed for being idle. */
  private repeat(attempt: Attempt): PooledInstance | null {
    const { service, exchange } = this
    const { instance } = attempt
    if (this.repeated || !mayRepeat(exchange)) return null
    this.repeated = true
    // What is bound to the instance would be lost elsewhere, and it may be all right.
    if (this.bound === instance) return instance
    return service.balancer.pick(exchange, this.triedAll(attempt)) ?? instance
  }

  /** The one that is asked in place of one that failed, if `retry` and its budget allow that. */
  private retryOn(attempt: Attempt): PooledInstance | null {
    const { service, exchange, retries } = this
    const { retry } = this
    if (retry === null || this.over || !retry.allows(exchange, retries)) return null
    // A session would be lost elsewhere; an instance that replies can say so itself.
    if (attempt.status !== 0 && this.bound === attempt.instance) return null
    const next = service.balancer.pick(exchange, this.triedAll(attempt))
    if (next === null || !retry.spend()) return null
    this.retries++
    return next
  }

  private triedAll({ instance }: Attempt): PooledInstance[] {
    this.tried ??= []
    this.tried.push(instance)
    return this.tried
  }

  /** Nobody gets that reply: what comes next is asked when its lane is free, or closed. */
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

  /** There is one attempt more, for that reason. */
  private note(reason: RetryReason): void {
    this.service.retries.count(reason)
    this.exchange.retried = reason
  }

  /** The client has left, or has been told that there is no reply. */
  private deserted(attempt: Attempt, error: GatewayError): void {
    this.endBy(attempt, 'client')
    this.fail(error)
  }

  /** Whether nobody waits for a reply any more, as the client has left; some requests go on for others once they were sent. */
  private get left(): boolean {
    const { aborted, sent, outlivesClient } = this.exchange
    return aborted && !(sent && outlivesClient)
  }

  private endBy(attempt: Attempt, fault: OutcomeFault): void {
    if (!attempt.told) attempt.endBy(fault, this.countTime())
  }

  /** There will be no reply. Nobody takes what has not been sent of the body. */
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
    if (this.deadline < Number.POSITIVE_INFINITY) this.service.deadlines.forget(this)
  }

  /** It waits for the service no longer: what is left of a reply is not the service's work alone. */
  private release(): void {
    if (this.admitted === SHED) return
    this.service.limit?.release(this.admitted)
    this.admitted = SHED
  }

  abort(): void {
    const { current, second } = this
    if (this.waitsNoMore()) return this.fail(new GatewayError('client-closed'))
    // Now, as the exchange is over before the lane is.
    this.release()
    for (const attempt of [current, second]) {
      if (attempt === null) continue
      this.endBy(attempt, 'client')
      attempt.cancel()
    }
  }

  /** All of it has taken too long. */
  onDeadline(): void {
    if (this.done) return
    const { current, second, ofClient } = this
    const error = ofClient
      ? deadlineExceeded()
      : new GatewayError('gateway-timeout', 'The service did not reply in time.')
    this.waitsNoMore()
    for (const attempt of [current, second]) if (attempt !== null && !attempt.told) this.timeOut(attempt, error)
    this.fail(error)
    current?.cancel()
    second?.cancel()
  }

  private timeOut(attempt: Attempt, error: GatewayError): void {
    const { ofClient, exchange } = this
    attempt.error = error
    attempt.reason = ofClient ? null : 'timeout'
    attempt.record?.failed(error)
    // Of what others have had of the time, or the client, the last one is not to blame.
    const whole = exchange.attempts === 1 && !attempt.streamed
    this.endBy(attempt, ofClient ? 'client' : whole ? 'instance' : 'gateway')
  }

  /** Whether an attempt was waited for, which is called off. */
  private waitsNoMore(): boolean {
    const { callOff } = this
    this.callOff = null
    callOff?.()
    return callOff !== null
  }

  /** Services have had the time up to now, which is told: in monotonic milliseconds. */
  private countTime(): number {
    const now = this.service.clock.now()
    this.exchange.serviceTime += now - this.since
    this.since = now
    return now
  }
}

/** Whether a route says how much of a body is awaited. */
function isOctets(buffer: number | null): buffer is number {
  return buffer !== null && buffer > 0
}
