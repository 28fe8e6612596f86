import { isStream } from '../http/body.ts'
import { statusOfInstance } from '../grpc/http-status.ts'
import type { GrpcStatus } from '../grpc/status.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Headers } from '../http/headers.ts'
import type { Lane, ReplyListener } from '../http/lane.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import type { AttemptRecord } from '../http/record.ts'
import type { Reply } from '../http/reply.ts'
import { CallReply, statusIn } from './call-reply.ts'
import {
  type FailureReason,
  failureReason,
  type Outcome,
  type OutcomeFault,
  outcomeFault,
  type OutcomePhase,
} from './outcome.ts'
import type { PooledInstance } from './pooled-instance.ts'
import type { Service } from './service.ts'
import type { WaitingAttempt } from './stalled-attempts.ts'

/** Maximum number of failures recorded per exchange: a service may have thousands of instances. */
const MAX_FAILURES = 20

/** The owner of an attempt, which decides what happens with its result. */
export interface AttemptOwner {
  readonly service: Service
  readonly exchange: Exchange
  /** Whether the client no longer waits for a reply. */
  readonly over: boolean
  /** The request as sent to that instance. */
  requestFor(instance: PooledInstance, record: AttemptRecord | null): OutgoingRequest
  /** The head of the reply has arrived. The owner decides how to proceed and has the outcome reported. */
  replied(attempt: Attempt, reply: Reply): void
  /** The attempt failed. The owner decides how to proceed and has the outcome reported. */
  failed(attempt: Attempt, error: GatewayError): void
  /** The attempt's lane has finished with it. */
  freed(attempt: Attempt): void
  /** The attempt's instance was ejected because it has stopped replying. */
  stalled(attempt: Attempt): void
}

/**
 * One attempt to get an exchange answered by one instance: acquires a lane (an idle one if available), sends the request, and reports the
 * outcome to all of the service's listeners. The attempt itself is passed as the outcome, which avoids an allocation.
 */
export class Attempt implements ReplyListener, WaitingAttempt, Outcome<PooledInstance> {
  readonly exchange: Exchange
  readonly instance: PooledInstance
  phase: OutcomePhase = 'connect'
  status = 0
  grpcStatus: GrpcStatus | null = null
  error: GatewayError | null = null
  reason: FailureReason | null = null
  fault: OutcomeFault = 'none'
  took = 0
  again = false
  passing = false
  prior: WaitingAttempt | null = null
  following: WaitingAttempt | null = null
  /** The instance to try once the lane has finished with the reply. */
  next: PooledInstance | null = null
  /** Whether the outcome has been reported. */
  isReported = false
  readonly record: AttemptRecord | null
  /** Start time, in monotonic milliseconds. */
  readonly begun: number

  private readonly owner: AttemptOwner
  /** Whether the request currently counts toward the instance's load. */
  private counted = true
  private lane: Lane | null = null
  /** Whether another attempt answers the exchange. */
  private givenUp = false
  /** Whether this is the reply to a gRPC call whose end has not arrived yet. */
  private follows = false

  constructor(owner: AttemptOwner, instance: PooledInstance) {
    const { exchange, service } = owner
    this.owner = owner
    this.exchange = exchange
    this.instance = instance
    this.begun = service.clock.now()
    const scheme = service.tls === null ? 'http' : 'https'
    this.record = exchange.record === null ? null : exchange.record.attempt(instance.address, scheme, service.version)
    instance.begin()
    service.stalled?.add(this)
    for (const listener of service.beginners) listener.began?.(this)
  }

  get streamed(): boolean {
    return isStream(this.exchange.body)
  }

  start(newConnection: boolean): void {
    const { instance, exchange } = this
    const lane = newConnection ? null : instance.pool.take(exchange.client.address)
    if (lane !== null) return this.send(lane)
    instance.pool.acquire(exchange.client.address).then(
      (acquired) => this.send(acquired),
      (error: unknown) => this.failed(asGatewayError(error)),
    )
  }

  private send(lane: Lane): void {
    const { instance, owner, record } = this
    if (this.givenUp || owner.over) {
      this.leave()
      lane.giveBack()
      if (!this.givenUp) owner.failed(this, new GatewayError('client-closed'))
      return
    }
    this.lane = lane
    this.phase = 'reply'
    this.exchange.sent = true
    instance.beginExchange()
    lane.exchange(owner.requestFor(instance, record), this)
  }

  interimReply(status: number, headers: Headers): void {
    if (!this.owner.over && !this.givenUp) this.exchange.sendInterim(status, headers)
  }

  replied(reply: Reply, lasting: boolean): void {
    this.phase = 'body'
    this.status = this.statusOf(reply)
    this.passing = !lasting && isStream(reply.body)
    if (this.record !== null) this.record.status = reply.status
    this.owner.replied(this, reply)
  }

  /** For a gRPC reply, the status derived from its head if the head is all there is ("Trailers-Only"). */
  private statusOf({ status, headers, body }: Reply): number {
    if (this.exchange.grpc === null || status !== 200 || isStream(body)) return status
    this.grpcStatus = statusIn(headers)
    return this.grpcStatus === null ? status : statusOfInstance(this.grpcStatus)
  }

  /** For the reply to a gRPC call, watches how the call ends. */
  followCall(reply: Reply): void {
    const { exchange, owner, record } = this
    const { grpc } = exchange
    if (grpc === null) return
    const { body } = reply
    if (!isStream(body)) {
      grpc.status = statusIn(reply.headers)
      if (record !== null) record.grpcStatus = grpc.status
      return
    }
    // For an HTTP error, the HTTP status already says what happened.
    if (reply.status !== 200) return
    this.follows = true
    reply.body = new CallReply(body, grpc, exchange, owner.service.deadlines, (status) => this.callEnded(status))
  }

  /** The instance sends nothing more of this call; its lane may have finished earlier. */
  private callEnded(status: GrpcStatus | null): void {
    this.follows = false
    this.grpcStatus = status
    if (status !== null && this.status === 200) this.status = statusOfInstance(status)
    if (this.record !== null) this.record.grpcStatus = status
    if (this.passing && this.lane === null) this.wholeReply()
  }

  failed(error: GatewayError): void {
    this.leave()
    if (this.givenUp) return
    this.record?.failed(error)
    this.owner.failed(this, error)
  }

  brokeOff(error: GatewayError): void {
    if (!this.passing) return
    this.passing = false
    this.blame(error)
    for (const listener of this.owner.service.listeners) listener.brokeOff?.(this)
  }

  finished(): void {
    if (this.passing && !this.follows) this.wholeReply()
    this.instance.endExchange()
    this.leave()
    this.record?.finished()
    this.lane = null
    this.owner.freed(this)
  }

  private wholeReply(): void {
    this.passing = false
    for (const listener of this.owner.service.listeners) listener.passed?.(this)
  }

  stalled(): void {
    this.owner.stalled(this)
  }

  /** Sets the error of the attempt and who is at fault. */
  blame(error: GatewayError): void {
    const reason = failureReason(error)
    this.error = error
    this.reason = reason
    this.fault = outcomeFault(error, reason)
  }

  /** Records when the head of the reply arrived, or when the attempt failed. */
  stop(now: number): void {
    this.took = now - this.begun
  }

  /** Records and reports a failure at that time with that fault. */
  endBy(fault: OutcomeFault, now: number): void {
    this.fault = fault
    this.stop(now)
    this.report()
  }

  /** Reports the outcome to all listeners. */
  report(): void {
    const { service } = this.owner
    this.isReported = true
    if (this.error !== null || this.again || this.status >= 500) this.noteFailure()
    service.stalled?.remove(this)
    for (const listener of service.listeners) listener.ended(this)
  }

  /** Records the failure for later diagnosis. */
  private noteFailure(): void {
    const { exchange, instance, phase, reason, status, took, again, error } = this
    exchange.failures ??= []
    if (exchange.failures.length < MAX_FAILURES)
      exchange.failures.push({ instance: instance.address, phase, reason, status, took, again, error })
  }

  /** Another attempt answers the exchange or replaces this one; this is nobody's fault. */
  giveUp(now: number): void {
    this.givenUp = true
    this.record?.giveUp()
    this.endBy('none', now)
    this.cancel()
  }

  /** Cancels the attempt because nobody waits for its reply. */
  cancel(): void {
    this.lane?.cancel()
  }

  /** The request no longer counts toward the instance's load. */
  private leave(): void {
    if (!this.counted) return
    this.counted = false
    this.instance.end()
  }
}
