import type { Headers } from '../http/headers.ts'
import { hostName } from '../core/host-name.ts'
import { type Condition, type MatchLine, type RouteEntry, routingTable } from './match.ts'
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
interface Candidate<T> {
  readonly line: MatchLine<T>
  readonly parameters: readonly string[]
  readonly result: RouteFound<T>
}

/** Candidates of one host and path pattern, most specific first. */
type Leaf<T> = Candidate<T>[]

type Table<T> = PathTable<Leaf<T>>

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})
const NOT_FOUND: RouteMissing = { found: false, allow: [] }

/**
 * Builds the router. Throws PatternError.
 *
 * A request walks the trie of each host pattern that matches it, most specific first, and takes the first candidate
 * that matches. A node is reached by one way only, so a request visits each at most once: backtracking costs no more
 * than the size of the table, whatever the path.
 */
export function createRouter<T>(entries: readonly RouteEntry<T>[]): Router<T> {
  const anyHost = emptyPathTable<Leaf<T>>()
  const exactHosts = new Map<string, Table<T>>()
  const wildcardHosts = new Map<string, Table<T>>()
  for (const line of routingTable(entries)) leafFor(tableFor(line), line.pattern, () => []).push(candidateFor(line))
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

  function tableFor({ host }: MatchLine<T>): Table<T> {
    if (host === null) return anyHost
    return entryFor(host.wildcard ? wildcardHosts : exactHosts, host.name, emptyPathTable<Leaf<T>>)
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
      const { methods } = candidate.line
      if (methods.length > 0 && !methods.includes(method)) {
        refused ??= []
        refused.push(candidate)
        continue
      }
      if (meetsConditions(candidate.line, headers, query)) return candidate
    }
    return null
  }

  function meetsConditions(line: MatchLine<T>, headers: Headers, query: string): boolean {
    for (const condition of line.headers) if (!hasHeader(headers, condition)) return false
    if (line.query.length === 0) return true
    if (parsedQuery.text !== query) parsedQuery = { text: query, values: new URLSearchParams(query) }
    const { values } = parsedQuery
    return line.query.every(({ name, value }) => (value === null ? values.has(name) : values.has(name, value)))
  }

  function paramsOf(names: readonly string[], path: string): Record<string, string> {
    const params: Record<string, string> = {}
    for (let i = 0; i < names.length; i++) {
      const value = path.slice(bounds[2 * i], bounds[2 * i + 1])
      params[names[i]!] = value.includes('%') ? decodeURIComponent(value) : value
    }
    return params
  }

  function missing(headers: Headers, query: string): RouteMissing {
    if (refused === null) return NOT_FOUND
    const close = refused.filter(({ line }) => meetsConditions(line, headers, query))
    return { found: false, allow: [...new Set(close.flatMap(({ line }) => line.methods))].toSorted() }
  }
}

/** Whether both are the same route, by the same pattern and with the same parameters, or both none. */
export function isSameMatch<T>(a: RouteFound<T> | RouteMissing, b: RouteFound<T> | RouteMissing): boolean {
  if (!a.found || !b.found) return a.found === b.found
  if (a.value !== b.value) return false
  return Object.entries(a.params).every(([name, value]) => b.params[name] === value)
}

function candidateFor<T>(line: MatchLine<T>): Candidate<T> {
  const { value, pattern } = line
  return {
    line,
    parameters: parameterNames(pattern.segments),
    result: { found: true, value, pattern: pattern.text, params: NO_PARAMS },
  }
}

function hasHeader(headers: Headers, { name, value }: Condition): boolean {
  return value === null ? headers.has(name) : headers.getAll(name).includes(value)
}
