import { GatewayError } from '../core/errors.ts'
import { MalformedMessage } from './fields.ts'

/** More digits than these are not exact as a number. */
const MAXIMUM_DIGITS = 15
const DIGIT_0 = 48

/** The octets that a Content-Length announces (RFC 9110 section 8.6). Throws MalformedMessage for a sign, a list, a fraction, a huge value. */
export function parseContentLength(value: string): number {
  let length = 0
  const digits = value.length
  for (let i = 0; i < digits; i++) {
    const digit = value.charCodeAt(i) - DIGIT_0
    if (!(digit >= 0 && digit <= 9)) throw badLength()
    length = length * 10 + digit
  }
  if (digits === 0 || digits > MAXIMUM_DIGITS) throw badLength()
  return length
}

function badLength(): MalformedMessage {
  return new MalformedMessage('Content-Length is not one decimal number of up to 15 digits.')
}

/**
 * Accepts the one transfer coding that the gateway speaks (RFC 9112 section 7).
 * Throws GatewayError 'not-implemented' for codings that exist (section 6.1), MalformedMessage for anything else.
 */
export function parseTransferEncoding(value: string): void {
  if (value === 'chunked' || value.toLowerCase() === 'chunked') return
  if (/^(?:(?:gzip|x-gzip|deflate|compress|x-compress)\s*,\s*)+chunked$/i.test(value))
    throw new GatewayError('not-implemented', 'The only transfer coding understood here is chunked.')
  throw new MalformedMessage('Transfer-Encoding is not "chunked".')
}
