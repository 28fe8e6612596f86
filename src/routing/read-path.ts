import type { PathForms } from '../http/path-forms.ts'
import { normalizeRequestPath } from './path.ts'

/** Anything that gives a path more than one form: escapes, path parameters, dot segments, repeated slashes. */
const UNUSUAL = /[^A-Za-z0-9\-._~!$&'()*+,=:@/]|\/[/.]/

/** Characters that must be escaped (RFC 3986 section 3.3). */
const UNSAFE = /["<>[\]^`{|}]/g

const ESCAPE = /%../g
const ENCODED_SLASH = /%2F|%5C/i
const PARAMETERS = /;[^/]*/g
const DIVIDERS = /;|%(?:2F|5C|3B)/

/** A parsed path. */
export interface PathReading {
  /** The normal form. */
  readonly path: string
  /** Null if the normal form is the only one. */
  readonly forms: PathForms | null
  /** Whether it contains "%2F" or "%5C". */
  readonly encodedSlashes: boolean
  /** The normal form without path parameters; null if there are none. */
  readonly stripped: string | null
}

/** Whether the path as written is its only form. */
export function isPlainPath(path: string): boolean {
  return path.charCodeAt(0) === SLASH && !UNUSUAL.test(path)
}

/** The path as written, without its parameters (";…"). */
export function withoutParameters(path: string): string {
  return path.replace(PARAMETERS, '')
}

/**
 * Parses the path of an origin-form target, without its query: its normal form (`normalizePath`) and alternative forms that services may
 * use. If the path is rejected, returns the reason as text.
 *
 * A service receives the path as written wherever that is unambiguous: hex digits, escapes of unreserved characters and repeated slashes
 * are kept, as signatures cover them and object stores have such names. Dot segments are resolved. In addition to what `normalizePath`
 * rejects, two slashes at the beginning are rejected, where `new URL(path, base)` would read a host, and dot segments after empty segments,
 * whose removal depends on the order of steps.
 */
export function readPath(path: string): PathReading | string {
  if (path.startsWith('//')) return LEADING_SLASHES
  if (path.includes('\\')) return BACKSLASH
  if (!path.startsWith('/')) return MALFORMED
  const normal = normalizeRequestPath(path)
  const resolved = resolve(path.replace(UNSAFE, escapeOf).slice(1).split('/'))
  if (normal === null || resolved === null) return MALFORMED
  const sent = `/${resolved.join('/')}`
  if (sent.startsWith('//')) return LEADING_SLASHES
  if (normalizeRequestPath(sent) !== normal) return DOTS_AFTER_NOTHING
  return reading(normal, sent)
}

const SLASH = 47
const MALFORMED = 'The path of the request is malformed or ambiguous.'
const BACKSLASH = 'The path has a backslash, which some services treat as a slash: send it in the query.'
const DOTS_AFTER_NOTHING = 'The path has a dot segment after an empty one: send it without both.'
const LEADING_SLASHES = 'The path of the request begins with two slashes: send one.'

function reading(path: string, sent: string): PathReading {
  const written = sent.replace(ESCAPE, (escape) => escape.toUpperCase())
  const encodedSlashes = ENCODED_SLASH.test(path)
  const stripped = path.includes(';') ? merge(withoutParameters(path)) : null
  const forms: PathForms = { path, sent, written: written === path ? null : written, others: othersOf(path) }
  return {
    path,
    forms: sent === path && forms.others.length === 0 ? null : forms,
    encodedSlashes,
    stripped,
  }
}

/** The forms that result from stripping parameters, decoding slashes, or both, in either order. */
function othersOf(path: string): string[] {
  if (!DIVIDERS.test(path)) return []
  const cut = withoutParameters(path)
  const decoded = decode(path)
  const slashed = slash(decoded)
  const others = [cut, slashed, withoutParameters(slashed), slash(decode(cut)), slash(withoutParameters(decoded))]
  return [...new Set(others.map(merge))].filter((other) => other !== path)
}

/** Decodes slashes and the delimiter of parameters, as services do that decode too early. */
function decode(path: string): string {
  return path.replace(/%2F/g, '/').replace(/%3B/g, ';')
}

/** Replaces encoded backslashes with slashes. */
function slash(path: string): string {
  return path.replace(/%5C/g, '/')
}

/** Removes dot segments (RFC 3986 section 5.2.4) and keeps everything else unchanged; null if they climb above the root. */
function resolve(segments: readonly string[]): string[] | null {
  const resolved: string[] = []
  let last = ''
  for (const segment of segments) {
    last = segment.replace(/%2e/gi, '.')
    if (last === '.') continue
    if (last !== '..') resolved.push(segment)
    else if (resolved.pop() === undefined) return null
  }
  if (last === '.' || last === '..') resolved.push('')
  return resolved
}

function merge(path: string): string {
  return path.replace(/\/{2,}/g, '/')
}

function escapeOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
