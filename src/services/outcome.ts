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

/** Every reason an attempt may fail for. */
export const failureReasons = ['connect', 'tls', 'refused', 'timeout', 'closed', 'invalid', 'busy', 'streams'] as const

/** Why an instance gave no reply, or an incomplete one. */
export type FailureReason = (typeof failureReasons)[number]

/**
 * Who is at fault for a failed attempt. 'connection' is nobody's fault: an idle connection was closed just then, as either side may do at
 * any time (RFC 9112 section 9.5), or the service has stated that it did not process the request (RFC 9113 section 8.7). 'none' is nobody's
 * fault either: another attempt was faster, or replaced this one because its instance stalls, for which the instance has already been
 * ejected.
 */
export type OutcomeFault = 'none' | 'instance' | 'connection' | 'client' | 'gateway'

/** How far an attempt got: no lane yet, waiting for the head of the reply, or head received. */
export type OutcomePhase = 'connect' | 'reply' | 'body'

/** The outcome of one attempt to have an exchange answered by an instance. */
export interface Outcome<I extends Instance = Instance> {
  readonly instance: I
  readonly exchange: Exchange
  readonly phase: OutcomePhase
  /**
   * Status of the reply; 0 if there is none. For a gRPC call, the equivalent of its gRPC status for the instance (`grpc/http-status.ts`).
   */
  readonly status: number
  /** The gRPC status sent by the instance; null for anything but gRPC and while unknown. */
  readonly grpcStatus: GrpcStatus | null
  /** The error instead of a reply or of its end; null if there is none or if the client has disconnected. */
  readonly error: GatewayError | null
  /** The error as a short reason; also null if neither the instance nor the pool caused the failure. */
  readonly reason: FailureReason | null
  readonly fault: OutcomeFault
  /** Milliseconds from the choice of the instance to the head of its reply, or until it was clear that there would be none. */
  readonly took: number
  /** Whether the request's body was still arriving when it was sent, so that its sender may account for most of the time. */
  readonly streamed: boolean
  /** Whether the request is resent because of this outcome. */
  readonly again: boolean
  /** Whether the head of the reply has arrived while a finite body is still being received. */
  readonly passing: boolean
}

/** Receives the outcomes of attempts. A service has a fixed list of listeners. */
export interface OutcomeListener<I extends Instance = Instance> {
  /** Called once per attempt, when its instance has been chosen. */
  began?(outcome: Outcome<I>): void
  /** Called once per attempt: the head of the reply has arrived, there will be none, or the client has disconnected before. */
  ended(outcome: Outcome<I>): void
  /** Called after `ended` if `passing`: the reply has ended, without a fault of the instance. */
  passed?(outcome: Outcome<I>): void
  /**
   * Called instead of `passed`: the reply was truncated. Open-ended replies, such as event streams, are not `passing` and may end at any
   * time.
   */
  brokeOff?(outcome: Outcome<I>): void
}

/** Why an instance gave no reply; null if it was not the instance's fault, for example because the client's body did not arrive. */
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

/** Who is at fault for an attempt that failed with that error. */
export function outcomeFault(error: GatewayError, reason: FailureReason | null): OutcomeFault {
  if (reason === null) return error.fault === 'client' ? 'client' : 'gateway'
  if (reason === 'busy' || reason === 'streams') return 'gateway'
  if (reason === 'refused') return 'connection'
  return error instanceof ClosedBeforeReply && error.stale ? 'connection' : 'instance'
}

/** Whether the status says that the instance could not do its work at all: 502, 503 or 504. */
export function isUnavailable(status: number): boolean {
  return status >= 502 && status <= 504
}
