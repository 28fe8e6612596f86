import { GatewayError } from '../core/errors.ts'
import { MalformedMessage } from '../http/malformed-message.ts'

/**
 * Checks that the transfer coding is the only one supported, chunked (RFC 9112 section 7). Throws GatewayError
 * 'not-implemented' for other registered codings (section 6.1), MalformedMessage for anything else.
 */
export function parseTransferEncoding(value: string): void {
  if (value === 'chunked' || value.toLowerCase() === 'chunked') return
  if (/^(?:(?:gzip|x-gzip|deflate|compress|x-compress)\s*,\s*)+chunked$/i.test(value))
    throw new GatewayError('not-implemented', 'The only supported transfer coding is chunked.')
  throw new MalformedMessage('Transfer-Encoding is not "chunked".')
}
