import { type HostPattern, parseHostPattern } from './host.ts'
import { parsePattern, type PathPattern, type PatternSegment } from './pattern.ts'

/** What a request must be like to take a route. Of a list, one is enough; of headers and query, all must hold. */
export interface RouteMatch {
  /** Patterns as `parsePattern` takes them. */
  readonly path: readonly string[]
  /** Hosts as `parseHostPattern` takes them; none given: every host. */
  readonly host?: readonly string[] | undefined
  /** Methods, in upper case; none given: every method. GET takes HEAD with it, nothing takes OPTIONS. */
  readonly method?: readonly string[] | undefined
  /** Field name -> value that one of its lines must have, or true for any. */
  readonly headers?: Readonly<Record<string, string | true>> | undefined
  /** Decoded name -> decoded value that must be among those given, or true for any. */
  readonly query?: Readonly<Record<string, string | true>> | undefined
}

/** A header or query parameter that must be there, with this value if one is given. */
export interface Condition {
  readonly name: string
  readonly value: string | null
}

/** What a request must have besides its host and path. */
export interface Conditions {
  /** Sorted, with HEAD where there is GET; empty for every method. */
  readonly methods: readonly string[]
  readonly headers: readonly Condition[]
  readonly query: readonly Condition[]
}

/** One host and one path pattern of an entry: a line of the routing table. */
export interface MatchLine<T> extends Conditions {
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
 * 1. Host: exact, then the longest wildcard, then none.
 * 2. Path, segment by segment: literal, then parameter, then "/*".
 * 3. Method: given, then not.
 * 4. More headers, then more query parameters.
 * 5. Fewer methods, so that [POST] is not shadowed by [GET, POST]; then by key, so that file order decides nothing.
 *
 * Throws PatternError.
 */
export function routingTable<T>(entries: readonly RouteEntry<T>[]): MatchLine<T>[] {
  return entries.flatMap(linesOf).toSorted(compareLines)
}

/** The keys of a match, one for each of its hosts and paths: two routes that share one are duplicates. Throws PatternError. */
export function matchKeys(match: RouteMatch): string[] {
  return linesOf({ match, value: null }).map(keyOf)
}

/** The lines of one entry, in the order in which its hosts and paths were written. Throws PatternError. */
export function linesOf<T>({ match, value }: RouteEntry<T>): MatchLine<T>[] {
  const hosts = match.host === undefined ? [null] : match.host.map(parseHostPattern)
  const patterns = match.path.map(parsePattern)
  const methods = effectiveMethods(match.method ?? NONE)
  const headers = conditions(match.headers ?? {}, (name) => name.toLowerCase())
  const query = conditions(match.query ?? {}, (name) => name)
  return hosts.flatMap((host) => patterns.map((pattern) => ({ host, pattern, methods, headers, query, value })))
}

/** The same for two lines only when they match the same requests. */
function keyOf({ host, pattern, methods, headers, query }: MatchLine<unknown>): string {
  return JSON.stringify([host?.name, host?.wildcard, pattern.key, methods, headers, query])
}

function effectiveMethods(methods: readonly string[]): readonly string[] {
  if (methods.length === 0) return NONE
  const implied = methods.includes('GET') ? ['HEAD'] : []
  return [...new Set([...methods, ...implied])].toSorted()
}

function conditions(
  given: Readonly<Record<string, string | true>>,
  spell: (name: string) => string,
): readonly Condition[] {
  const written = Object.entries(given)
  if (written.length === 0) return NONE
  return written
    .map(([name, value]) => ({ name: spell(name), value: value === true ? null : value }))
    .toSorted((a, b) => compareText(a.name, b.name))
}

function compareLines(a: MatchLine<unknown>, b: MatchLine<unknown>): number {
  return compareHosts(a.host, b.host) || comparePatterns(a.pattern, b.pattern) || compareConditions(a, b)
}

/** The order of two lines of one host and path: steps 3 to 5. */
export function compareConditions(a: Conditions, b: Conditions): number {
  return (
    Number(b.methods.length > 0) - Number(a.methods.length > 0) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length ||
    a.methods.length - b.methods.length ||
    compareText(textOf(a), textOf(b))
  )
}

function textOf({ methods, headers, query }: Conditions): string {
  return JSON.stringify([methods, headers, query])
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
