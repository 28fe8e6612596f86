import { MalformedMessage } from './malformed-message.ts'

/** Numbers with more digits than this cannot be represented exactly. */
const MAXIMUM_DIGITS = 15
const DIGIT_0 = 48

/**
 * Parses Content-Length into a number of bytes (RFC 9110 section 8.6). Throws MalformedMessage for a sign, a list, a
 * fraction, or a number with too many digits.
 */
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

/** Methods whose requests usually have content. */
const WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH', 'QUERY'])

/** Whether a request with that method states explicitly that it has no content (RFC 9110 section 8.6). */
export function anticipatesContent(method: string): boolean {
  return WITH_CONTENT.has(method)
}

/**
 * Whether a response to that method with that status has no content, whatever its header fields say (RFC 9110 section
 * 6.4.1).
 */
export function hasNoContent(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200
}
