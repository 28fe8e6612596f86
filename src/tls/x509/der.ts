/** Writes the subset of DER (ITU-T X.690) needed for certificates. There is no reader: node:crypto and OpenSSL parse. */

const LONG_FORM = 0x80
const CONTEXT = 0x80
const CONSTRUCTED = 0x20

/** One value: its tag, its length in the fewest bytes (X.690 section 10.1), its contents. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(contents)
  return Buffer.concat([Buffer.of(tag), lengthOf(bytes), bytes])
}

/** SEQUENCE. */
export function sequence(...items: readonly Uint8Array[]): Buffer {
  return element(0x30, ...items)
}

/** SET OF, with its items ordered by their bytes (X.690 section 11.6). */
export function setOf(...items: readonly Uint8Array[]): Buffer {
  return element(0x31, ...[...items].sort((a, b) => Buffer.compare(a, b)))
}

/** BOOLEAN. */
export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.of(value ? 0xff : 0))
}

/** INTEGER of a non-negative number. */
export function integer(value: number | bigint): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  // The first bit is the sign.
  const sign = (bytes[0] ?? 0) >= 0x80 ? Buffer.of(0) : Buffer.of()
  return element(0x02, sign, bytes)
}

/** NULL. */
export function nothing(): Buffer {
  return element(0x05)
}

/** OBJECT IDENTIFIER in dotted notation, such as "2.5.29.17". */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Buffer {
  return element(0x04, bytes)
}

/** BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Buffer {
  return element(0x03, Buffer.of(0), bytes)
}

/** BIT STRING of named bits, bit 0 first; trailing zero bits are omitted (X.690 section 11.2.2). Up to 8 bits. */
export function namedBits(...bits: readonly number[]): Buffer {
  const byte = bits.reduce((sum, bit) => sum + (0x80 >> bit), 0)
  const unused = 7 - Math.max(...bits)
  return element(0x03, Buffer.of(unused, byte))
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return element(0x0c, Buffer.from(text))
}

/**
 * A time given in wall-clock milliseconds, rounded to seconds: UTCTime up to 2049, GeneralizedTime after that (RFC 5280 section 4.1.2.5).
 */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\..*$/g, '')
  const year = new Date(ms).getUTCFullYear()
  if (year >= 1950 && year < 2050) return element(0x17, Buffer.from(`${digits.slice(2)}Z`))
  return element(0x18, Buffer.from(`${digits}Z`))
}

/** An explicit [number] tag around a complete value. */
export function explicit(number: number, value: Uint8Array): Buffer {
  return element(CONTEXT + CONSTRUCTED + number, value)
}

/** An implicit [number] tag for primitive contents. */
export function implicit(number: number, bytes: Uint8Array): Buffer {
  return element(CONTEXT + number, bytes)
}

/** An implicit [number] tag instead of that of a SEQUENCE or SET. */
export function implicitList(number: number, ...items: readonly Uint8Array[]): Buffer {
  return element(CONTEXT + CONSTRUCTED + number, ...items)
}

/** DER as text (RFC 7468): `label` such as "CERTIFICATE". */
export function pemOf(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function lengthOf(bytes: Buffer): Buffer {
  if (bytes.length < LONG_FORM) return Buffer.of(bytes.length)
  const hex = bytes.length.toString(16)
  const length = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.of(LONG_FORM + length.length), length])
}

/** Seven bits per byte, whose top bit indicates that more follow (X.690 section 8.19). */
function base128(number: number): number[] {
  const bytes = [number % 128]
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(128 + (rest % 128))
  return bytes
}
