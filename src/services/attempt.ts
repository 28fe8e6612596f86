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
import type { Waiting } from './stranded.ts'

/** Failures of one exchange that are remembered: a service may have thousands of instances. */
const MOST_FAILURES = 20

/** Whose an attempt is, and who decides what comes of it. */
export interface AttemptOwner {
  readonly service: Service
  readonly exchange: Exchange
  /** Nobody waits for a reply any more. */
  readonly over: boolean
  /** The request as it goes to that instance. */
  requestFor(instance: PooledInstance, record: AttemptRecord | null): OutgoingRequest
  /** The head of its reply is here. Whoever decides has it reported. */
  replied(attempt: Attempt, reply: Reply): void
  /** It came to nothing. Whoever decides has it reported. */
  failed(attempt: Attempt, error: GatewayError): void
  /** Its lane has nothing more to do with it. */
  freed(attempt: Attempt): void
  /** Its instance is ejected, as nothing comes from there. */
  stranded(attempt: Attempt): void
}

/**
 * One attempt to have an exchange answered by one instance: takes a lane to it, one that is free if there is one, sends the request, and
 * reports how that ended, to all who listen to the service's. Nothing is made for that, as this is the outcome as well.
 */
export class Attempt implements ReplyListener, Waiting, Outcome<PooledInstance> {
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
  prior: Waiting | null = null
  following: Waiting | null = null
  /** The instance that is asked when the lane has done with the reply. */
  next: PooledInstance | null = null
  /** How it ended has been reported. */
  told = false
  readonly record: AttemptRecord | null
  /** When it began, in monotonic milliseconds. */
  readonly begun: number

  private readonly owner: AttemptOwner
  /** The request is a load of the instance. */
  private counted = true
  private lane: Lane | null = null
  /** Another attempt answers the exchange. */
  private givenUp = false
  /** The reply is one to a call of gRPC, whose end is not here yet. */
  private follows = false

  constructor(owner: AttemptOwner, instance: PooledInstance) {
    const { exchange, service } = owner
    this.owner = owner
    this.exchange = exchange
    this.instance = instance
    this.begun = service.clock.now()
    this.record = exchange.record === null ? null : exchange.record.attempt(instance.address)
    instance.begin()
    service.stranded?.add(this)
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

  informed(status: number, headers: Headers): void {
    if (!this.owner.over && !this.givenUp) this.exchange.inform(status, headers)
  }

  replied(reply: Reply, lasting: boolean): void {
    this.phase = 'body'
    this.status = this.statusOf(reply)
    this.passing = !lasting && isStream(reply.body)
    if (this.record !== null) this.record.status = reply.status
    this.owner.replied(this, reply)
  }

  /** Of the reply to a call of gRPC the status that stands in its head where it is all there is ("Trailers-Only"). */
  private statusOf({ status, headers, body }: Reply): number {
    if (this.exchange.grpc === null || status !== 200 || isStream(body)) return status
    this.grpcStatus = statusIn(headers)
    return this.grpcStatus === null ? status : statusOfInstance(this.grpcStatus)
  }

  /** Has what comes of a reply to a call of gRPC looked at, up to how the call ended. */
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
    // What is an HTTP error says itself what it is.
    if (reply.status !== 200) return
    this.follows = true
    reply.body = new CallReply(body, grpc, exchange, owner.service.deadlines, (status) => this.callEnded(status))
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

  stranded(): void {
    this.owner.stranded(this)
  }

  /** That is what it came to, and whose fault it was. */
  blame(error: GatewayError): void {
    const reason = failureReason(error)
    this.error = error
    this.reason = reason
    this.fault = outcomeFault(error, reason)
  }

  /** It came to its head, or to nothing, at that time. */
  stop(now: number): void {
    this.took = now - this.begun
  }

  /** It came to nothing at that time, by that fault: reports it. */
  endBy(fault: OutcomeFault, now: number): void {
    this.fault = fault
    this.stop(now)
    this.report()
  }

  /** Tells all who listen how it ended. */
  report(): void {
    const { service } = this.owner
    this.told = true
    if (this.error !== null || this.again || this.status >= 500) this.noteFailure()
    service.stranded?.remove(this)
    for (const listener of service.listeners) listener.ended(this)
  }

  /** For whoever asks why later. */
  private noteFailure(): void {
    const { exchange, instance, phase, reason, status, took, again, error } = this
    exchange.failures ??= []
    if (exchange.failures.length < MOST_FAILURES)
      exchange.failures.push({ instance: instance.address, phase, reason, status, took, again, error })
  }

  /** Another one answers the exchange, or is asked in its place: that is nobody's fault. */
  giveUp(now: number): void {
    this.givenUp = true
    this.record?.giveUp()
    this.endBy('none', now)
    this.cancel()
  }

  /** Nobody waits for its reply. */
  cancel(): void {
    this.lane?.cancel()
  }

  /** The request is no load of the instance any more. */
  private leave(): void {
    if (!this.counted) return
    this.counted = false
    this.instance.end()
  }
}
