import { GatewayError } from '../core/errors.ts'

/** What a client is told of a reply that is none; the cause says what is wrong with it. */
export function badReply(cause: unknown): GatewayError {
  if (cause instanceof GatewayError && cause.code === 'headers-too-large')
    return new GatewayError('bad-gateway', `The head of the service's reply is too large. ${cause.detail}`)
  return new GatewayError('bad-gateway', 'The service sent a reply that is not valid HTTP/2.', { cause })
}
