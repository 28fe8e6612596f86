import * as characters from '../../http/characters.ts'
import { Known, nextHash, type FieldNames } from '../../http/field-names.ts'
import { skipValue } from '../../http/value-octets.ts'

// Octets are read by index, below an end that was looked at: each "!" says so, and costs nothing.
// Constants of this module are put into its compiled code; what is imported is looked up at each use.
const { COLON, foldedToken, HTAB, HYPHEN, ODD, SP } = characters

/** What a field is in HTTP/2, beside what `Known` says of those that HTTP/1.1 has as well. */
export const Kind = {
  ...Known,
  method: 64,
  scheme: 65,
  authority: 66,
  path: 67,
  protocol: 68,
  status: 69,
  /** May be sent in several lines, which are one (RFC 9113 section 8.2.3). */
  cookie: 70,
  /** Is of one connection, which HTTP/2 has other means for (section 8.2.2): malformed. */
  connectionSpecific: 71,
  /** Its name or its value cannot be those of a field (sections 8.2.1 and 8.3): malformed. */
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

/** The name of a field, and what that says of it. */
export interface FieldName {
  readonly text: string
  readonly kind: Kind
  /** It has other characters than letters, digits and hyphens. */
  readonly odd: boolean
}

/** One field: made once for a place in a table, however often it is referred to. */
export interface Field {
  readonly name: FieldName
  readonly value: string
  /** What it is in this message: that of its name, but for a value that cannot be one. */
  readonly kind: Kind
  /** "name: value\r\n", as a message that is passed on has it. */
  readonly line: string
  /** Octets as they are counted against limits (RFC 7541 section 4.1). */
  readonly size: number
}

/** What RFC 7541 section 4.1 adds for each entry. */
const OVERHEAD = 32

/** A field of that value. */
export function fieldOf(name: FieldName, value: string, valid: boolean): Field {
  return {
    name,
    value,
    kind: valid ? name.kind : Kind.malformed,
    line: `${name.text}: ${value}\r\n`,
    size: name.text.length + value.length + OVERHEAD,
  }
}

/** The name that lies at start..end. `strict` says that names with other characters than letters, digits and hyphens are not wanted. */
export function nameOf(octets: Buffer, start: number, end: number, names: FieldNames, strict: boolean): FieldName {
  const text = octets.toString('latin1', start, end)
  if (octets[start] === COLON) return { text, kind: pseudoKinds.get(text) ?? Kind.malformed, odd: false }
  let hash = names.seed | 0
  let odd = false
  for (let at = start; at < end; at++) {
    const octet = octets[at]!
    const folded = foldedToken[octet]!
    // Upper case is malformed as well (RFC 9113 section 8.2.1).
    if (folded === 0 || (octet >= 65 && octet <= 90)) return { text, kind: Kind.malformed, odd: false }
    if (folded === ODD) odd = true
    hash = nextHash(hash, folded === ODD ? HYPHEN : folded)
  }
  if (start === end) return { text, kind: Kind.malformed, odd: false }
  if (text === 'cookie') return { text, kind: Kind.cookie, odd: false }
  if (CONNECTION_SPECIFIC.has(text)) return { text, kind: Kind.connectionSpecific, odd: false }
  const known = names.lookup(hash, octets, start, end, odd)
  const kind = odd && strict && known === Known.none ? Known.odd : known
  return { text, kind, odd: odd && kind === Known.none }
}

/** Whether what lies at start..end can be the value of a field (RFC 9113 section 8.2.1). */
export function isValue(octets: Buffer, start: number, end: number): boolean {
  if (start === end) return true
  if (isSpace(octets[start]!) || isSpace(octets[end - 1]!)) return false
  return skipValue(octets, start, end) === end
}

function isSpace(octet: number): boolean {
  return octet === SP || octet === HTAB
}
