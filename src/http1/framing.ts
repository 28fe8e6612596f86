import { GatewayError } from '../core/errors.ts'
import { MalformedMessage } from './fields.ts'

/** Digits only, and few enough to be exact as a number (RFC 9110 section 8.6). */
const DIGITS = /^[0-9]{1,15}$/

/** The octets that a Content-Length announces. Throws MalformedMessage for a sign, a list, a fraction, a huge value. */
export function parseContentLength(value: string): number {
  if (!DIGITS.test(value)) throw new MalformedMessage('Content-Length is not one decimal number of up to 15 digits.')
  return Number(value)
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
