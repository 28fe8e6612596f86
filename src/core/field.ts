/** RFC 9110 section 5.6.2: token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5: visible characters, obs-text, and space or tab inside; so never CR, LF or NUL. */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/
/** Fields that belong to one connection or to the framing of a message (RFC 9110 section 7.6.1, RFC 9112 sections 3.2 and 6). */
const WIRE =
  /^(?:connection|content-length|expect|host|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i

/** Whether the text may stand as a field value on the wire. */
export function isFieldValue(value: string): boolean {
  return FIELD_VALUE.test(value)
}

/** Whether the text may stand as a field name on the wire. */
export function isToken(name: string): boolean {
  return TOKEN.test(name)
}

/** Whether a field of that name is the wire's alone to write: a second one could end a message elsewhere than the first. */
export function isWireField(name: string): boolean {
  return WIRE.test(name)
}

/** Throws a TypeError for a name or a value that may not stand on the wire, or a name that is the wire's own. */
export function checkField(name: string, value: string): void {
  if (!TOKEN.test(name))
    throw new TypeError(
      `${JSON.stringify(name)} is not a header name: use letters, digits and the characters ! # $ % & ' * + - . ^ _ \` | ~`,
    )
  if (!FIELD_VALUE.test(value))
    throw new TypeError(
      `the value of the header ${name} cannot stand on the wire: it begins or ends with a space, or holds CR, LF, NUL, ` +
        'another control character, or one above U+00FF; encode it, for instance with encodeURIComponent',
    )
  if (WIRE.test(name))
    throw new TypeError(
      `the header ${name} belongs to the connection and the framing of messages; the gateway sets it itself`,
    )
}
