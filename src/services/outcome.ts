import type { GatewayError } from '../core/errors.ts'
import type { GrpcStatus } from '../grpc/status.ts'
import type { Exchange } from '../http/exchange.ts'
import {
  ClosedBeforeReply,
  ClosedWithinReply,
  ConnectFailed,
  HandshakeFailed,
  NotProcessed,
  TooManyStreams,
} from '../http/lane-errors.ts'
import type { Instance } from './instance.ts'

/** Every reason that an attempt may fail for. */
export const failureReasons = ['connect', 'tls', 'refused', 'timeout', 'closed', 'invalid', 'busy', 'streams'] as const

/** Why an instance gave no reply, or not all of it. */
export type FailureReason = (typeof failureReasons)[number]

/**
 * Whose fault it is that an attempt came to nothing. 'connection' is nobody's: an idle one was closed just then, as either side
 * may do at any time (RFC 9112 section 9.5), or the service has said that it does nothing with the request (RFC 9113 section 8.7). Nor is it
 * anybody's ('none') where another attempt was quicker, or was made in its place as its instance stalls, for which that is ejected already.
 */
export type OutcomeFault = 'none' | 'instance' | 'connection' | 'client' | 'gateway'

/** How far an attempt came: it has no lane yet, waits for the head of the reply, or has it. */
export type OutcomePhase = 'connect' | 'reply' | 'body'

/** How one attempt to have an exchange answered by an instance ended. */
export interface Outcome<I extends Instance = Instance> {
  readonly instance: I
  readonly exchange: Exchange
  readonly phase: OutcomePhase
  /** Of the reply; 0 where there is none. Of a call of gRPC what its status means for the instance (`grpc/http-status.ts`). */
  readonly status: number
  /** How a call of gRPC ended, as its instance says; null for all else, and while that is not known. */
  readonly grpcStatus: GrpcStatus | null
  /** What there is in place of a reply, or of its end; null where there is nothing, or the client has left. */
  readonly error: GatewayError | null
  /** The same as one of a few words; null as well where the failure was not the instance's or the pool's. */
  readonly reason: FailureReason | null
  readonly fault: OutcomeFault
  /** Milliseconds from the choice of the instance to the head of its reply, or to where it was clear that none comes. */
  readonly took: number
  /** The request's body was still coming when it went out: its sender may have taken most of the time. */
  readonly streamed: boolean
  /** The request goes out once more because of it. */
  readonly again: boolean
  /** The head of the reply is here, and a body that is to end is still coming. */
  readonly passing: boolean
}

/** Who wants to know how attempts end. A service has a fixed list of them. */
export interface OutcomeListener<I extends Instance = Instance> {
  /** Once for each attempt, when its instance is chosen. */
  began?(outcome: Outcome<I>): void
  /** Once for each attempt: the head of the reply is here, there will be none, or the client has left before. */
  ended(outcome: Outcome<I>): void
  /** After that, where `passing`: nothing more of the reply comes, and that is not the instance's fault. */
  passed?(outcome: Outcome<I>): void
  /** In place of that: the reply ended before its end. Lasting ones, as of events, are not `passing` and may end at any time. */
  brokeOff?(outcome: Outcome<I>): void
}

/** Why an instance gave no reply; null where that was not for it to give, as when the client's body did not come. */
export function failureReason(error: GatewayError): FailureReason | null {
  if (error instanceof ConnectFailed) return 'connect'
  if (error instanceof HandshakeFailed) return 'tls'
  if (error instanceof NotProcessed) return 'refused'
  if (error instanceof ClosedBeforeReply || error instanceof ClosedWithinReply) return 'closed'
  if (error instanceof TooManyStreams) return 'streams'
  if (error.code === 'too-busy') return 'busy'
  if (error.code === 'gateway-timeout') return 'timeout'
  return error.code === 'bad-gateway' ? 'invalid' : null
}

/** Whose fault it is that an attempt ended with that error. */
export function outcomeFault(error: GatewayError, reason: FailureReason | null): OutcomeFault {
  if (reason === null) return error.fault === 'client' ? 'client' : 'gateway'
  if (reason === 'busy' || reason === 'streams') return 'gateway'
  if (reason === 'refused') return 'connection'
  return error instanceof ClosedBeforeReply && error.stale ? 'connection' : 'instance'
}

/** Whether the reply says that the instance could not do its work at all: 502, 503 or 504. */
export function isUnavailable(status: number): boolean {
  return status >= 502 && status <= 504
}
