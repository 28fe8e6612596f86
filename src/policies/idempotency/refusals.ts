import { GatewayError } from '../../core/errors.ts'
import { FIELD } from './key.ts'

/** Seconds after which a premature repetition may be retried. */
const SOON = '1'

/** The key is missing (draft-ietf-httpapi-idempotency-key-header-07 section 2.7). */
export function missing(method: string): GatewayError {
  return new GatewayError('bad-request', `${method} needs the field ${FIELD} here, with a unique key for each request.`)
}

/** The first request is still in progress. */
export function outstanding(): GatewayError {
  return new GatewayError(
    'idempotency-outstanding',
    `A request with this ${FIELD} is in progress. Try again later to get its reply.`,
    { headers: [['Retry-After', SOON]] },
  )
}

/** The first request was sent, and its outcome is no longer known. */
export function unrepeatable(): GatewayError {
  return new GatewayError(
    'idempotency-unrepeatable',
    `A request with this ${FIELD} was sent before, and its reply is not available. Find out whether it took effect before you ` +
      'send it with another key.',
  )
}

/** The key was used for a different request. */
export function reused(): GatewayError {
  return new GatewayError(
    'idempotency-key-reused',
    `This ${FIELD} was sent with another request, or by another caller. Use another key for each request.`,
  )
}

/** It cannot be determined whether this is the first request. */
export function unavailable(): GatewayError {
  return new GatewayError(
    'idempotency-unavailable',
    `The gateway cannot check at the moment whether this ${FIELD} was used before. Try again later.`,
    { headers: [['Retry-After', SOON]] },
  )
}
