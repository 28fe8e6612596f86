/** RFC 9110 section 5.6.2: token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5: visible characters and obs-text, with spaces and tabs only in between; so never CR, LF or NUL. */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/
/** Headers that belong to a single connection or to message framing (RFC 9110 section 7.6.1, RFC 9112 sections 3.2 and 6). */
const WIRE =
  /^(?:connection|content-length|expect|host|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i

/** Whether the text is a valid header value. */
export function isFieldValue(value: string): boolean {
  return FIELD_VALUE.test(value)
}

/** Whether the text is a valid header name. */
export function isToken(name: string): boolean {
  return TOKEN.test(name)
}

/** Whether only the HTTP layer itself may write a header of that name: a duplicate could make the message end in a different place. */
export function isWireField(name: string): boolean {
  return WIRE.test(name)
}

/** Throws a TypeError for an invalid header name or value, or for a name reserved for the HTTP layer. */
export function checkField(name: string, value: string): void {
  if (!TOKEN.test(name))
    throw new TypeError(
      `${JSON.stringify(name)} is not a header name: use letters, digits and the characters ! # $ % & ' * + - . ^ _ \` | ~`,
    )
  if (!FIELD_VALUE.test(value))
    throw new TypeError(
      `the value of the header ${name} cannot be sent: it begins or ends with a space, or contains CR, LF, NUL, ` +
        'another control character, or a character above U+00FF; encode it, for example with encodeURIComponent',
    )
  if (WIRE.test(name))
    throw new TypeError(
      `the header ${name} belongs to the connection and the framing of messages; the gateway sets it itself`,
    )
}
