import { encodeHuffman } from './huffman.ts'
import { atNeverIndexed, isNeverIndexed } from './never-indexed.ts'
import { staticTable } from './static-table.ts'

/** Maximum number of encoded lines that are cached. */
const REMEMBERED = 1024
/** How often a field may have a new value before its lines are no longer cached. */
const TIMEOUT = 64

/** How a field name is encoded, and whether caching its lines pays off. */
interface NameCode {
  /** Literal field without indexing, or never indexed, up to its value (RFC 7541 sections 6.2.2 and 6.2.3). */
  readonly bytes: string
  /** Lines that had to be encoded. */
  misses: number
  /** Lines found in the cache. */
  hits: number
}

interface LineCode {
  readonly bytes: string
  readonly name: NameCode
}

/** Encoded statuses; at first those that the static table contains as complete fields. */
const statuses = new Map<number, string>()
/** By name, as spelled by the sender; encoded with the first entry of the static table that has the name. */
const nameCodes = new Map<string, NameCode>()
const lineCodes = new Map<string, LineCode>()

const staticNames = new Map<string, number>()
for (const [place, [name, value]] of staticTable.entries()) {
  if (!staticNames.has(name)) staticNames.set(name, place + 1)
  if (name === ':status') statuses.set(Number(value), String.fromCharCode(0x80 | (place + 1)))
}

/**
 * Encodes the status of a reply and the fields, each "Name: value\r\n", as an HTTP/2 field section, one character per
 * byte. It only refers to the static table, so it is the same for every connection, and recurring lines are encoded
 * once.
 */
export function encodeReply(status: number, fields: string): string {
  return encodeStatus(status) + encodeFields(fields)
}

/** The same for the fields alone, as for trailers. */
export function encodeFields(fields: string): string {
  let section = ''
  for (let at = 0; at < fields.length;) {
    const end = fields.indexOf('\r\n', at)
    const line = fields.slice(at, end)
    const known = lineCodes.get(line)
    if (known === undefined) section += encodeLine(line)
    else {
      known.name.hits++
      section += known.bytes
    }
    at = end + 2
  }
  return section
}

/** The pseudo-header fields of a request (RFC 9113 section 8.3.1). */
export function encodeRequest(method: string, scheme: 'http' | 'https', authority: string, path: string): string {
  const { methods, schemes, root } = codes
  const code = methods.get(method) ?? literal(codes.method, method)
  const pathCode = path === '/' && root !== '' ? root : literal(codes.path, path)
  return code + schemes[scheme] + authorityCode(authority) + pathCode
}

/** The same for extended CONNECT, a request for another protocol within the stream (RFC 8441 section 4). */
export function encodeConnect(protocol: string, scheme: 'http' | 'https', authority: string, path: string): string {
  return encodeRequest('CONNECT', scheme, authority, path) + literal(codes.protocol, protocol)
}

/** Cached, as successive requests mostly have the same authority. */
function authorityCode(authority: string): string {
  // HTTP/1.0 clients may omit it.
  if (authority === '') return ''
  if (authority !== lastAuthority) {
    lastAuthority = authority
    lastAuthorityCode = literal(codes.authority, authority)
  }
  return lastAuthorityCode
}

function encodeStatus(status: number): string {
  const known = statuses.get(status) ?? literal(nameBytes(':status'), String(status))
  if (!statuses.has(status) && statuses.size < REMEMBERED) statuses.set(status, known)
  return known
}

function encodeLine(line: string): string {
  const colon = line.indexOf(':')
  const name = nameCode(line.slice(0, colon))
  const value = line.slice(colon + 2)
  name.misses++
  // A date, an id or a length will differ next time.
  if (name.misses > TIMEOUT && name.hits < 2 * name.misses) return literal(name.bytes, value)
  const bytes = name.bytes + shorter(value)
  if (lineCodes.size >= REMEMBERED) lineCodes.clear()
  lineCodes.set(line, { bytes, name })
  return bytes
}

function nameCode(name: string): NameCode {
  const known = nameCodes.get(name)
  if (known !== undefined) return known
  const code = { bytes: nameBytes(name.toLowerCase()), misses: 0, hits: 0 }
  if (nameCodes.size >= REMEMBERED) nameCodes.clear()
  nameCodes.set(name, code)
  return code
}

/** The beginning of a literal with that name, in lower case. */
function nameBytes(name: string): string {
  const flags = isNeverIndexed(name) ? 0x10 : 0
  const index = staticNames.get(name)
  return index === undefined ? String.fromCharCode(flags) + shorter(name) : integer(index, 0x0f, flags)
}

/** `before`, followed by the value without Huffman coding. */
function literal(before: string, value: string): string {
  return before + integer(value.length, 0x7f, 0) + value
}

/** RFC 7541 section 5.2, in the form that takes fewer bytes. */
function shorter(text: string): string {
  const coded = encodeHuffman(text)
  return coded.length < text.length ? integer(coded.length, 0x7f, 0x80) + coded : integer(text.length, 0x7f, 0) + text
}

/** RFC 7541 section 5.1: `mask` covers the prefix bits of the first byte, `flags` are its other bits. */
function integer(value: number, mask: number, flags: number): string {
  if (value < mask) return String.fromCharCode(flags | value)
  let bytes = String.fromCharCode(flags | mask)
  let rest = value - mask
  for (; rest >= 0x80; rest >>>= 7) bytes += String.fromCharCode((rest & 0x7f) | 0x80)
  return bytes + String.fromCharCode(rest)
}

/**
 * How the pseudo-header fields of a request are encoded. Complete fields of the static table are left out ("", or no
 * entry) where the name is never indexed.
 */
interface RequestCodes {
  readonly methods: ReadonlyMap<string, string>
  readonly schemes: { readonly http: string; readonly https: string }
  readonly root: string
  readonly method: string
  readonly path: string
  readonly authority: string
  readonly protocol: string
}

/** A complete field of the static table. */
function whole(index: number): string {
  return String.fromCharCode(0x80 | index)
}

function requestCodes(): RequestCodes {
  const scheme = (name: string): string => literal(nameBytes(':scheme'), name)
  const methods = [['GET', whole(2)] as const, ['POST', whole(3)] as const]
  return {
    methods: new Map(isNeverIndexed(':method') ? [] : methods),
    schemes: isNeverIndexed(':scheme')
      ? { http: scheme('http'), https: scheme('https') }
      : { http: whole(6), https: whole(7) },
    root: isNeverIndexed(':path') ? '' : whole(4),
    method: nameBytes(':method'),
    path: nameBytes(':path'),
    authority: nameBytes(':authority'),
    protocol: nameBytes(':protocol'),
  }
}

let codes = requestCodes()
let lastAuthority = ''
let lastAuthorityCode = ''

// Cached encodings may contain a field that is now never indexed.
atNeverIndexed(() => {
  nameCodes.clear()
  lineCodes.clear()
  if (isNeverIndexed(':status')) statuses.clear()
  codes = requestCodes()
  lastAuthority = ''
})
