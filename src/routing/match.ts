import { type HostPattern, parseHostPattern } from './host.ts'
import { parsePattern, type PathPattern, type PatternSegment } from './pattern.ts'

/** A value condition: this text, one of several, a regular expression that must match in full, or true for any value. */
export type ValueMatch = string | true | readonly string[] | { readonly regex: string }

/** The conditions of a route. Of a list, any entry may match; headers and query parameters must all match. */
export interface RouteMatch {
  /** Names of listeners; omitted for every listener. */
  readonly listener?: readonly string[] | undefined
  /** Patterns as accepted by `parsePattern`. */
  readonly path: readonly string[]
  /** Hosts as accepted by `parseHostPattern`; omitted for every host. */
  readonly host?: readonly string[] | undefined
  /** A regular expression that the normalized path must also match in full. */
  readonly pathRegex?: string | undefined
  /** Methods in upper case; omitted for every method. GET includes HEAD; OPTIONS is never included implicitly. */
  readonly method?: readonly string[] | undefined
  /** Header name -> value that one of its lines must have. */
  readonly headers?: Readonly<Record<string, ValueMatch>> | undefined
  /** Decoded name -> decoded value that must be among the given ones. */
  readonly query?: Readonly<Record<string, ValueMatch>> | undefined
  /** Among equally specific matches, the highest wins. Default 0. */
  readonly precedence?: number | undefined
}

/** A header or query parameter that must be present. */
export interface Condition {
  readonly name: string
  /** Sorted; the value must be one of them. Empty if any value matches, or if there is a regular expression. */
  readonly values: readonly string[]
  /** Regular expression for the value; null if there is none. */
  readonly regex: string | null
}

/** The conditions of a request other than its host and path pattern. */
export interface Conditions {
  /** Regular expression for the path; null if there is none. */
  readonly pathRegex: string | null
  /** Sorted, with HEAD added to GET; empty for every method. */
  readonly methods: readonly string[]
  readonly headers: readonly Condition[]
  readonly query: readonly Condition[]
  readonly precedence: number
}

/** One listener, one host and one path pattern of an entry: a line of the routing table. */
export interface MatchLine<T> extends Conditions {
  /** Null for every listener. */
  readonly listener: string | null
  readonly host: HostPattern | null
  readonly pattern: PathPattern
  readonly value: T
}

/** A match and its target. */
export interface RouteEntry<T> {
  readonly match: RouteMatch
  readonly value: T
}

/** Shared by all lines without methods or conditions, which are the majority. */
const NONE: readonly never[] = []

/**
 * Every line of the routing table, most specific first: a request takes the first line that matches it.
 *
 * 1. Listener: given before any.
 * 2. Host: exact, then the longest wildcard, then any.
 * 3. Path, segment by segment: literal, then parameter, then "/*"; then lines with a regular expression first.
 * 4. Method: given before any.
 * 5. More headers, then more query parameters.
 * 6. Higher precedence.
 * 7. More of these with a single value, then with several values, then with a regular expression.
 * 8. Fewer methods and values, so that [POST] is not shadowed by [GET, POST].
 * 9. By key, so that the order in the file does not matter.
 *
 * Throws PatternError.
 */
export function routingTable<T>(entries: readonly RouteEntry<T>[]): MatchLine<T>[] {
  return entries.flatMap(linesOf).toSorted(compareLines)
}

/** The keys of a match, one per listener, host and path: two routes that share a key are duplicates. Throws PatternError. */
export function matchKeys(match: RouteMatch): string[] {
  return linesOf({ match, value: null }).map((line) => JSON.stringify([placeOf(line), textOf(line)]))
}

/** Equal for two lines that differ only in their conditions. */
export function placeOf({ listener, host, pattern }: MatchLine<unknown>): string {
  return JSON.stringify([listener, host?.name, host?.wildcard, pattern.key])
}

/** The lines of one entry, in the order of its listeners, hosts and paths as written. Throws PatternError. */
export function linesOf<T>({ match, value }: RouteEntry<T>): MatchLine<T>[] {
  const listeners = match.listener ?? [null]
  const hosts = match.host === undefined ? [null] : match.host.map(parseHostPattern)
  const patterns = match.path.map(parsePattern)
  const pathRegex = match.pathRegex ?? null
  const methods = effectiveMethods(match.method ?? NONE)
  const headers = conditionsOf(match.headers ?? {}, (name) => name.toLowerCase())
  const query = conditionsOf(match.query ?? {}, (name) => name)
  const precedence = match.precedence ?? 0
  const conditions = { pathRegex, methods, headers, query, precedence, value }
  return listeners.flatMap((listener) =>
    hosts.flatMap((host) => patterns.map((pattern) => Object.assign({ listener, host, pattern }, conditions))),
  )
}

function effectiveMethods(methods: readonly string[]): readonly string[] {
  if (methods.length === 0) return NONE
  const implied = methods.includes('GET') ? ['HEAD'] : []
  return [...new Set([...methods, ...implied])].toSorted()
}

function conditionsOf(
  conditions: Readonly<Record<string, ValueMatch>>,
  spell: (name: string) => string,
): readonly Condition[] {
  const written = Object.entries(conditions)
  if (written.length === 0) return NONE
  return written
    .map(([name, value]) => ({ name: spell(name), values: valuesOf(value), regex: regexOf(value) }))
    .toSorted((a, b) => compareText(a.name, b.name))
}

function valuesOf(value: ValueMatch): readonly string[] {
  if (typeof value === 'string') return [value]
  return isList(value) ? [...new Set(value)].toSorted() : NONE
}

function regexOf(value: ValueMatch): string | null {
  return typeof value === 'object' && !isList(value) ? value.regex : null
}

function isList(value: ValueMatch): value is readonly string[] {
  return Array.isArray(value)
}

function compareLines(a: MatchLine<unknown>, b: MatchLine<unknown>): number {
  return (
    Number(a.listener === null) - Number(b.listener === null) ||
    compareText(a.listener ?? '', b.listener ?? '') ||
    compareHosts(a.host, b.host) ||
    comparePatterns(a.pattern, b.pattern) ||
    compareConditions(a, b)
  )
}

/** The order of two lines with the same listener, host and path pattern, starting with the regular expression of the path. */
export function compareConditions(a: Conditions, b: Conditions): number {
  return compareSpecificity(a, b) || compareText(textOf(a), textOf(b))
}

/** Like `compareConditions`, without the key: 0 if neither is more specific. */
export function compareSpecificity(a: Conditions, b: Conditions): number {
  return (
    Number(a.pathRegex === null) - Number(b.pathRegex === null) ||
    Number(b.methods.length > 0) - Number(a.methods.length > 0) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length ||
    b.precedence - a.precedence ||
    exactness(b) - exactness(a) ||
    widthOf(a) - widthOf(b)
  )
}

/** Higher for more exact conditions: first the number of single values, then the number of value lists. */
function exactness({ headers, query }: Conditions): number {
  let sum = 0
  for (const { values, regex } of [...headers, ...query])
    sum += values.length === 1 ? 1_000_000 : values.length > 1 ? 1000 : regex === null ? 0 : 1
  return sum
}

function widthOf({ methods, headers, query }: Conditions): number {
  return [...headers, ...query].reduce((sum, { values }) => sum + values.length, methods.length)
}

function textOf({ pathRegex, methods, headers, query }: Conditions): string {
  return JSON.stringify([pathRegex, methods, headers, query])
}

function compareHosts(a: HostPattern | null, b: HostPattern | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (a.wildcard !== b.wildcard) return a.wildcard ? 1 : -1
  return b.name.length - a.name.length || compareText(a.name, b.name)
}

function comparePatterns(a: PathPattern, b: PathPattern): number {
  const length = Math.min(a.segments.length, b.segments.length) + 1
  for (let i = 0; i < length; i++) {
    const order = stepRank(a, i) - stepRank(b, i) || compareText(literalOf(a.segments[i]), literalOf(b.segments[i]))
    if (order !== 0) return order
  }
  return 0
}

/** How specific a pattern is at a depth; its end is more specific than "/*", which matches there too. */
function stepRank(pattern: PathPattern, depth: number): number {
  const segment = pattern.segments[depth]
  if (segment !== undefined) return 'literal' in segment ? 0 : 1
  return pattern.isPrefix ? 3 : 2
}

function literalOf(segment: PatternSegment | undefined): string {
  return segment !== undefined && 'literal' in segment ? segment.literal : ''
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
