import { GatewayError } from '../core/errors.ts'
import { HandshakeFailed } from '../http/lane-errors.ts'
import type { FailureReason, OutcomeFault } from './outcome.ts'

/** Whether nothing was sent: the connection failed, or none became available. */
export function isUnsent(reason: FailureReason | null): boolean {
  return reason === 'connect' || reason === 'tls' || reason === 'busy'
}

/**
 * Whether the instance failed while processing the request, other than by timing out: a service that is too slow must not get more load.
 */
export function isRetried(reason: FailureReason | null, fault: OutcomeFault): boolean {
  return fault === 'instance' && (reason === 'closed' || reason === 'invalid')
}

/** The error for the client when no instance is left to try; `cause` is the failure of the last one. */
export function finalError(cause: GatewayError): GatewayError {
  if (cause.code === 'too-busy' || cause instanceof HandshakeFailed) return cause
  return new GatewayError('service-unavailable', 'Service unavailable', { cause })
}
