const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/** Marks a byte that CGI-like services cannot tell from a hyphen in a field name. */
export const ODD = 1

/**
 * For each byte: 0 where it is not allowed in a token (RFC 9110 section 5.6.2), ODD where it is neither letter, digit
 * nor hyphen, else the byte itself with letters in lower case.
 */
export const foldedToken = new Uint8Array(256)
for (const character of TOKEN)
  foldedToken[character.charCodeAt(0)] = /[A-Za-z0-9-]/.test(character) ? character.toLowerCase().charCodeAt(0) : ODD

/** For each byte: 1 where it is allowed in a field value: visible, space, tab, obs-text (RFC 9110 section 5.5). */
export const allowedInValue = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) allowedInValue[byte] = byte === 9 || (byte >= 32 && byte !== 127) ? 1 : 0

/**
 * For each byte: 1 where it is allowed in a request target: visible ASCII without "#", which begins a fragment, and a
 * target has none (RFC 9112 section 3.2). The path itself is validated when it is normalized.
 */
export const allowedInTarget = new Uint8Array(256)
for (let byte = 0x21; byte < 0x7f; byte++) allowedInTarget[byte] = byte === 0x23 ? 0 : 1

/** For each byte: its value as a hexadecimal digit, or 255. */
export const hexValue = new Uint8Array(256).fill(255)
for (let value = 0; value < 16; value++) {
  hexValue[value.toString(16).charCodeAt(0)] = value
  hexValue[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

export const CR = 13
export const LF = 10
export const SP = 32
export const HTAB = 9
export const COLON = 58
export const HYPHEN = 45
export const SEMICOLON = 59
