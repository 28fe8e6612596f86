import { GatewayError } from '../core/errors.ts'

/** The error reported to a client for an invalid reply; the cause describes the problem. */
export function badReply(cause: unknown): GatewayError {
  if (cause instanceof GatewayError && cause.code === 'headers-too-large')
    return new GatewayError('bad-gateway', `The head of the service's reply is too large. ${cause.detail}`)
  return new GatewayError('bad-gateway', 'The service sent a reply that is not valid HTTP/2.', { cause })
}
