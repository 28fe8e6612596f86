import { parseDictionary } from '../structured-fields.ts'
import type { Headers } from '../../http/headers.ts'

/** Directive in lower case -> its argument without quotes, or null if it has none. */
export type Directives = ReadonlyMap<string, string | null>

/** RFC 9111 section 1.2.2: larger values count as infinity. */
const MAX_SECONDS = 2 ** 31

const DELTA = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error'])

/** Directives that an argument can limit to some headers. */
const WHOLE = new Set(['private', 'no-cache'])

const NONE: Directives = new Map()

/**
 * Parses Cache-Control (RFC 9111 section 5.2). If a directive is repeated, the first one counts (section 4.2.1), except that
 * private and no-cache apply to the whole reply if any of their occurrences does.
 */
export function parseDirectives(value: string | undefined): Directives {
  if (value === undefined) return NONE
  const directives = new Map<string, string | null>()
  for (const part of splitList(value)) {
    const equals = part.indexOf('=')
    const name = (equals === -1 ? part : part.slice(0, equals)).toLowerCase()
    if (!directives.has(name) || (equals === -1 && WHOLE.has(name)))
      directives.set(name, equals === -1 ? null : unquote(part.slice(equals + 1)))
  }
  return directives
}

/**
 * Parses a targeted header such as CDN-Cache-Control (RFC 9213 section 2.1), a Dictionary. Null if it is missing, invalid or empty:
 * Cache-Control and Expires then apply.
 */
export function parseTargeted(value: string | undefined): Directives | null {
  const dictionary = value === undefined ? null : parseDictionary(value)
  if (dictionary === null) return null
  const directives = new Map<string, string | null>()
  for (const [name, item] of dictionary) {
    if (DELTA.has(name) ? typeof item !== 'number' : item === false || item === null) continue
    directives.set(name, item === true ? null : String(item))
  }
  return directives.size === 0 ? null : directives
}

/** The cache directives of a reply. */
export interface ReplyControl {
  readonly directives: Directives
  /** From a targeted header: Expires is then ignored (RFC 9213 section 2.2). */
  readonly targeted: boolean
}

/** The first valid targeted header, otherwise Cache-Control. */
export function controlOf(headers: Headers, targets: readonly string[]): ReplyControl {
  for (const name of targets) {
    const directives = parseTargeted(headers.combined(name))
    if (directives !== null) return { directives, targeted: true }
  }
  return { directives: parseDirectives(headers.combined('Cache-Control')), targeted: false }
}

/** The argument of a directive in milliseconds, 0 if it is not a number (section 4.2.1), null if the directive is missing. */
export function millisecondsOf(directives: Directives, name: string): number | null {
  const value = directives.get(name)
  if (value === undefined) return null
  return value !== null && /^\d+$/.test(value) ? Math.min(Number(value), MAX_SECONDS) * 1000 : 0
}

/** Header names that a directive is limited to, as in no-cache="set-cookie" (section 5.2.2.4); empty if it is not limited. */
export function fieldsOf(directives: Directives, name: string): readonly string[] {
  const value = directives.get(name)
  return value === undefined || value === null ? [] : splitList(value)
}

/** Whether the directive is present and applies to the whole reply. */
export function saysWhole(directives: Directives, name: string): boolean {
  return directives.has(name) && fieldsOf(directives, name).length === 0
}

/** The members of a list header, trimmed; commas in quoted strings do not separate, and empty members are left out. */
export function splitList(value: string): string[] {
  const members = value.match(/(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g) ?? []
  return members.map((member) => member.trim()).filter((member) => member !== '')
}

function unquote(text: string): string {
  return /^"(?:[^"\\]|\\.)*"$/.test(text) ? text.slice(1, -1).replaceAll(/\\(.)/g, '$1') : text
}
