import { type HostPattern, parseHostPattern } from './host.ts'
import { parsePattern, type PathPattern, type PatternSegment } from './pattern.ts'

/** What a value must be: this text, one of these, what the regular expression describes whole, or with true any. */
export type ValueMatch = string | true | readonly string[] | { readonly regex: string }

/** What a request must be like to take a route. Of a list, one is enough; of headers and query, all must hold. */
export interface RouteMatch {
  /** Names of the listeners that it may come by; none given: every listener. */
  readonly listener?: readonly string[] | undefined
  /** Patterns as `parsePattern` takes them. */
  readonly path: readonly string[]
  /** Hosts as `parseHostPattern` takes them; none given: every host. */
  readonly host?: readonly string[] | undefined
  /** What the normal form of the path must be besides, from its beginning to its end. */
  readonly pathRegex?: string | undefined
  /** Methods, in upper case; none given: every method. GET takes HEAD with it, nothing takes OPTIONS. */
  readonly method?: readonly string[] | undefined
  /** Field name -> value that one of its lines must have. */
  readonly headers?: Readonly<Record<string, ValueMatch>> | undefined
  /** Decoded name -> decoded value that must be among those given. */
  readonly query?: Readonly<Record<string, ValueMatch>> | undefined
  /** Of equally specific matches the highest wins. Default 0. */
  readonly precedence?: number | undefined
}

/** A header or query parameter that must be there. */
export interface Condition {
  readonly name: string
  /** One of them must be its value, sorted; empty where any will do, or the expression says it. */
  readonly values: readonly string[]
  /** What describes its value; null where nothing does. */
  readonly regex: string | null
}

/** What a request must have besides its host and path. */
export interface Conditions {
  /** What describes its path; null where nothing does. */
  readonly pathRegex: string | null
  /** Sorted, with HEAD where there is GET; empty for every method. */
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

/** A match and what it leads to. */
export interface RouteEntry<T> {
  readonly match: RouteMatch
  readonly value: T
}

/** Shared by all lines without methods, or without conditions: most are. */
const NONE: readonly never[] = []

/**
 * Every line of the routing table, most specific first: a request takes the first line that matches it.
 *
 * 1. Listener: given, then not.
 * 2. Host: exact, then the longest wildcard, then none.
 * 3. Path, segment by segment: literal, then parameter, then "/*"; then one with an expression.
 * 4. Method: given, then not.
 * 5. More headers, then more query parameters.
 * 6. Higher precedence.
 * 7. More of these that name one value, then several, then an expression.
 * 8. Fewer methods and values, so that [POST] is not shadowed by [GET, POST].
 * 9. By key, so that file order decides nothing.
 *
 * Throws PatternError.
 */
export function routingTable<T>(entries: readonly RouteEntry<T>[]): MatchLine<T>[] {
  return entries.flatMap(linesOf).toSorted(compareLines)
}

/** The keys of a match, one for each of its listeners, hosts and paths: two routes that share one are duplicates. Throws PatternError. */
export function matchKeys(match: RouteMatch): string[] {
  return linesOf({ match, value: null }).map((line) => JSON.stringify([placeOf(line), textOf(line)]))
}

/** The same for two lines only when they differ in nothing but their conditions. */
export function placeOf({ listener, host, pattern }: MatchLine<unknown>): string {
  return JSON.stringify([listener, host?.name, host?.wildcard, pattern.key])
}

/** The lines of one entry, in the order in which its listeners, hosts and paths were written. Throws PatternError. */
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
  given: Readonly<Record<string, ValueMatch>>,
  spell: (name: string) => string,
): readonly Condition[] {
  const written = Object.entries(given)
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

/** The order of two lines of one listener, host and path: from the expression of the path on. */
export function compareConditions(a: Conditions, b: Conditions): number {
  return compareSpecificity(a, b) || compareText(textOf(a), textOf(b))
}

/** The same without the key: 0 where neither is the more specific one. */
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

/** A number that is the higher, the more of the values are named: first those that are, then those that are one of several. */
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

/** How specific a pattern is at a depth; an end is more specific than "/*", which matches there too. */
function stepRank(pattern: PathPattern, depth: number): number {
  const segment = pattern.segments[depth]
  if (segment !== undefined) return 'literal' in segment ? 0 : 1
  return pattern.rest ? 3 : 2
}

function literalOf(segment: PatternSegment | undefined): string {
  return segment !== undefined && 'literal' in segment ? segment.literal : ''
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
