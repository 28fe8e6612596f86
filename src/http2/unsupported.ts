import { GatewayError } from '../core/errors.ts'

/** The service does not support extended CONNECT (RFC 8441). */
export function noTunnels(): GatewayError {
  return new GatewayError('not-implemented', 'The service does not accept WebSockets over HTTP/2.', {
    cause: new Error('it does not support extended CONNECT (RFC 8441): use a service without http2 for WebSockets'),
  })
}

/** The service has reset the stream with HTTP_1_1_REQUIRED (RFC 9113 section 7). */
export function wantsHttp1(): GatewayError {
  return new GatewayError('bad-gateway', 'The service wants HTTP/1.1 for this request.', {
    cause: new Error('it has reset the stream with HTTP_1_1_REQUIRED: remove http2 from the service'),
  })
}
