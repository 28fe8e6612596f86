import { GatewayError } from '../core/errors.ts'
import { HandshakeFailed } from '../http/lane-errors.ts'
import type { FailureReason, OutcomeFault } from './outcome.ts'

/** A request is sent again so often that nobody has begun with. */
export const MOST_REFUSALS = 3

/** Whether nothing was sent: the connection failed, or none became free. */
export function isUnsent(reason: FailureReason | null): boolean {
  return reason === 'connect' || reason === 'tls' || reason === 'busy'
}

/** Whether the instance has failed with the request in its hands, and that was no time-out: who is too slow gets no more to do. */
export function isRetried(reason: FailureReason | null, fault: OutcomeFault): boolean {
  return fault === 'instance' && (reason === 'closed' || reason === 'invalid')
}

/** What the client is told where no instance is left, which the last one failed with. */
export function lastWord(cause: GatewayError): GatewayError {
  if (cause.code === 'too-busy' || cause instanceof HandshakeFailed) return cause
  return new GatewayError('service-unavailable', 'Service unavailable', { cause })
}
