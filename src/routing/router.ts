import type { Headers } from '../http/headers.ts'
import { hostName } from '../core/host-name.ts'
import {
  compareConditions,
  type Condition,
  type Conditions,
  linesOf,
  type MatchLine,
  type RouteEntry,
} from './match.ts'
import { parameterNames } from './pattern.ts'
import { emptyPathTable, entryFor, findLiteral, leafFor, type PathTable, type TrieNode } from './trie.ts'

/** The route that a request takes. */
export interface RouteFound<T> {
  readonly found: true
  readonly value: T
  /** The text of the path pattern that matched. */
  readonly pattern: string
  /** Values of the pattern's parameters, percent-decoded: a "%2F" in the path is a "/" here. */
  readonly params: Readonly<Record<string, string>>
}

/** No route takes the request. */
export interface RouteMissing {
  readonly found: false
  /** Methods, sorted, with which some route would have taken it (for Allow); empty when none would. */
  readonly allow: readonly string[]
}

/** Finds the most specific route for a request; immutable. */
export interface Router<T> {
  /**
   * `host` as the client sent it, `path` as `normalizePath` returned it, `query` "?…" or "".
   * Never throws for such a path.
   */
  find(host: string, path: string, method: string, headers: Headers, query: string): RouteFound<T> | RouteMissing
}

/** A line of the routing table, ready to be tried. */
interface Candidate<T> extends Conditions {
  readonly parameters: readonly string[]
  readonly result: RouteFound<T>
}

/** Candidates of one host and path pattern, most specific first. */
type Leaf<T> = Candidate<T>[]

type Table<T> = PathTable<Leaf<T>>

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})
const NOT_FOUND: RouteMissing = { found: false, allow: [] }

/** The lines of a routing table by host and path: what a router searches. */
export class RouterTables<T> {
  readonly anyHost: Table<T> = emptyPathTable()
  readonly exactHosts = new Map<string, Table<T>>()
  readonly wildcardHosts = new Map<string, Table<T>>()

  /** Puts the lines of an entry in their places. Throws PatternError. */
  add(entry: RouteEntry<T>): void {
    for (const line of linesOf(entry)) {
      const candidate = candidateFor(line)
      const leaf = leafFor(this.tableFor(line), line.pattern, () => [candidate])
      if (leaf[0] !== candidate) insert(leaf, candidate)
    }
  }

  private tableFor({ host }: MatchLine<T>): Table<T> {
    if (host === null) return this.anyHost
    return entryFor(host.wildcard ? this.wildcardHosts : this.exactHosts, host.name, emptyPathTable<Leaf<T>>)
  }
}

/** Builds the router of all entries. Throws PatternError. */
export function createRouter<T>(entries: readonly RouteEntry<T>[]): Router<T> {
  const tables = new RouterTables<T>()
  for (const entry of entries) tables.add(entry)
  return routerOf(tables)
}

/**
 * The router of tables to which nothing is added any more.
 *
 * A request walks the trie of each host pattern that matches it, most specific first, and takes the first candidate
 * that matches. A node is reached by one way only, so a request visits each at most once: backtracking costs no more
 * than the size of the table, whatever the path.
 */
export function routerOf<T>({ anyHost, exactHosts, wildcardHosts }: RouterTables<T>): Router<T> {
  const matchesHosts = exactHosts.size > 0 || wildcardHosts.size > 0
  const anyHostOnly = [anyHost]

  // What a search notes on its way. A search is synchronous, so the next one uses the same places again.
  /** Start and end in the path of each parameter on the way to the current node. */
  const bounds: number[] = []
  /** Candidates that matched by path and host, but not by method. */
  let refused: Candidate<T>[] | null = null
  /** The last host, as it came, and its tables: most requests name the same one. */
  let knownHost = { text: '', tables: anyHostOnly }
  /** The last query that conditions were tried on. */
  let parsedQuery = { text: '', values: new URLSearchParams() }

  return {
    find(host, path, method, headers, query) {
      refused = null
      const candidate = searchTables(matchesHosts ? tablesOf(host) : anyHostOnly, path, method, headers, query)
      if (candidate === null) return missing(headers, query)
      if (candidate.parameters.length === 0) return candidate.result
      const { value, pattern } = candidate.result
      return { found: true, value, pattern, params: paramsOf(candidate.parameters, path) }
    },
  }

  /** The tables for a host, most specific first. */
  function tablesOf(host: string): Table<T>[] {
    if (host === knownHost.text) return knownHost.tables
    const name = hostName(host)
    const tables = [exactHosts.get(name)]
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      tables.push(wildcardHosts.get(name.slice(dot + 1)))
    }
    tables.push(anyHost)
    knownHost = { text: host, tables: tables.filter((table) => table !== undefined) }
    return knownHost.tables
  }

  function searchTables(
    tables: readonly Table<T>[],
    path: string,
    method: string,
    headers: Headers,
    query: string,
  ): Candidate<T> | null {
    for (const { plain, lengths, root } of tables) {
      // A plain pattern is literal in every segment: nothing in the trie can be more specific.
      const leaf = lengths.has(path.length) ? plain.get(path) : undefined
      const found =
        (leaf === undefined ? null : select(leaf, method, headers, query)) ??
        walk(root, path, 1, 0, method, headers, query)
      if (found !== null) return found
    }
    return null
  }

  /** Searches below a node; `start` is where the next segment begins, beyond the path's length when there is none. */
  function walk(
    node: TrieNode<Leaf<T>>,
    path: string,
    start: number,
    parameters: number,
    method: string,
    headers: Headers,
    query: string,
  ): Candidate<T> | null {
    if (start > path.length) {
      return select(node.end, method, headers, query) ?? select(node.rest, method, headers, query)
    }
    if (node.literals === null && node.parameter === null) return select(node.rest, method, headers, query)
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    const child = findLiteral(node, path, start, end)
    if (child !== undefined) {
      const found = walk(child, path, end + 1, parameters, method, headers, query)
      if (found !== null) return found
    }
    if (node.parameter !== null && end > start) {
      bounds[2 * parameters] = start
      bounds[2 * parameters + 1] = end
      const found = walk(node.parameter, path, end + 1, parameters + 1, method, headers, query)
      if (found !== null) return found
    }
    return select(node.rest, method, headers, query)
  }

  function select(candidates: Leaf<T> | null, method: string, headers: Headers, query: string): Candidate<T> | null {
    if (candidates === null) return null
    for (const candidate of candidates) {
      const { methods } = candidate
      if (methods.length > 0 && !methods.includes(method)) {
        refused ??= []
        refused.push(candidate)
        continue
      }
      if (meetsConditions(candidate, headers, query)) return candidate
    }
    return null
  }

  function meetsConditions(line: Conditions, headers: Headers, query: string): boolean {
    for (const condition of line.headers) if (!hasHeader(headers, condition)) return false
    if (line.query.length === 0) return true
    if (parsedQuery.text !== query) parsedQuery = { text: query, values: new URLSearchParams(query) }
    const { values } = parsedQuery
    return line.query.every(({ name, value }) => (value === null ? values.has(name) : values.has(name, value)))
  }

  function paramsOf(names: readonly string[], path: string): Record<string, string> {
    const params: Record<string, string> = {}
    let i = 0
    for (const name of names) {
      const value = path.slice(bounds[i], bounds[i + 1])
      params[name] = value.includes('%') ? decodeURIComponent(value) : value
      i += 2
    }
    return params
  }

  function missing(headers: Headers, query: string): RouteMissing {
    if (refused === null) return NOT_FOUND
    const close = refused.filter((candidate) => meetsConditions(candidate, headers, query))
    return { found: false, allow: [...new Set(close.flatMap(({ methods }) => methods))].toSorted() }
  }
}

/** Whether both are the same route, by the same pattern and with the same parameters, or both none. */
export function isSameMatch<T>(a: RouteFound<T> | RouteMissing, b: RouteFound<T> | RouteMissing): boolean {
  if (!a.found || !b.found) return a.found === b.found
  if (a.value !== b.value) return false
  return Object.entries(a.params).every(([name, value]) => b.params[name] === value)
}

/** Puts a candidate in its place among those of its host and path: behind all that are not less specific. */
function insert<T>(leaf: Leaf<T>, candidate: Candidate<T>): void {
  let [low, high] = [0, leaf.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = leaf[middle]
    if (other !== undefined && compareConditions(other, candidate) <= 0) low = middle + 1
    else high = middle
  }
  leaf.splice(low, 0, candidate)
}

function candidateFor<T>(line: MatchLine<T>): Candidate<T> {
  const { methods, headers, query, value, pattern } = line
  return {
    methods,
    headers,
    query,
    parameters: parameterNames(pattern.segments),
    result: { found: true, value, pattern: pattern.text, params: NO_PARAMS },
  }
}

function hasHeader(headers: Headers, { name, value }: Condition): boolean {
  return value === null ? headers.has(name) : headers.getAll(name).includes(value)
}
