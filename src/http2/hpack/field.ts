import * as characters from '../../http/characters.ts'
import { Known, nextHash, type FieldNames } from '../../http/field-names.ts'
import { skipValue } from '../../http/skip-value.ts'

// Bytes are read by index below an end that has been checked: each "!" asserts that, and costs nothing. Constants of
// this module are inlined into its compiled code, whereas imports are looked up at each use.
const { COLON, foldedToken, HTAB, HYPHEN, ODD, SP } = characters

/** Kinds of fields in HTTP/2, in addition to those in `Known`, which HTTP/1.1 has as well. */
export const Kind = {
  ...Known,
  method: 64,
  scheme: 65,
  authority: 66,
  path: 67,
  protocol: 68,
  status: 69,
  /** May be sent as several lines that have to be joined (RFC 9113 section 8.2.3). */
  cookie: 70,
  /** Connection-specific, which HTTP/2 does not allow (section 8.2.2): malformed. */
  connectionSpecific: 71,
  /** The name or the value is not valid (sections 8.2.1 and 8.3): malformed. */
  malformed: 72,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

const pseudoKinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [':method', Kind.method],
  [':scheme', Kind.scheme],
  [':authority', Kind.authority],
  [':path', Kind.path],
  [':protocol', Kind.protocol],
  [':status', Kind.status],
])

const CONNECTION_SPECIFIC = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** The name of a field, and its classification. */
export interface FieldName {
  readonly text: string
  readonly kind: Kind
  /** It has characters other than letters, digits and hyphens. */
  readonly odd: boolean
}

/** One field: created once for an entry of a table, however often it is referred to. */
export interface Field {
  readonly name: FieldName
  readonly value: string
  /** The kind of its name, or malformed where the value is not valid. */
  readonly kind: Kind
  /** "name: value\r\n", the form in which it is passed on. */
  readonly line: string
  /** Size in bytes as counted against limits (RFC 7541 section 4.1). */
  readonly size: number
}

/** Overhead per entry according to RFC 7541 section 4.1. */
const OVERHEAD = 32

export function fieldOf(name: FieldName, value: string, valid: boolean): Field {
  return {
    name,
    value,
    kind: valid ? name.kind : Kind.malformed,
    line: `${name.text}: ${value}\r\n`,
    size: name.text.length + value.length + OVERHEAD,
  }
}

/**
 * The name at start..end. With `strict`, unknown names with characters other than letters, digits and hyphens are
 * classified as odd, and removed.
 */
export function nameOf(bytes: Buffer, start: number, end: number, names: FieldNames, strict: boolean): FieldName {
  const text = bytes.toString('latin1', start, end)
  if (bytes[start] === COLON) return { text, kind: pseudoKinds.get(text) ?? Kind.malformed, odd: false }
  let hash = names.seed | 0
  let odd = false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    const folded = foldedToken[byte]!
    // Upper case is malformed as well (RFC 9113 section 8.2.1).
    if (folded === 0 || (byte >= 65 && byte <= 90)) return { text, kind: Kind.malformed, odd: false }
    if (folded === ODD) odd = true
    hash = nextHash(hash, folded === ODD ? HYPHEN : folded)
  }
  if (start === end) return { text, kind: Kind.malformed, odd: false }
  if (text === 'cookie') return { text, kind: Kind.cookie, odd: false }
  if (CONNECTION_SPECIFIC.has(text)) return { text, kind: Kind.connectionSpecific, odd: false }
  const known = names.lookup(hash, bytes, start, end, odd)
  const kind = odd && strict && known === Known.none ? Known.odd : known
  return { text, kind, odd: odd && kind === Known.none }
}

/** Whether the bytes at start..end are valid as the value of a field (RFC 9113 section 8.2.1). */
export function isValue(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) return true
  if (isSpace(bytes[start]!) || isSpace(bytes[end - 1]!)) return false
  return skipValue(bytes, start, end) === end
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB
}
