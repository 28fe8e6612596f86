import type { Headers } from '../http/headers.ts'
import { hostName } from '../core/host-name.ts'
import { compileWhole } from '../regexp/linear.ts'
import { type Candidate, candidateFor, type CompileRegex, type Leaf, insert, type RouteFound } from './candidate.ts'
import { linesOf, type MatchLine, type RouteEntry } from './match.ts'
import { emptyPathTable, entryFor, findLiteral, leafFor, type PathTable, type TrieNode } from './trie.ts'

/** No route matches the request. */
export interface RouteMissing {
  readonly found: false
  /** Methods, sorted, with which a route would have matched (for Allow); empty if there are none. */
  readonly allow: readonly string[]
}

/** Finds the most specific route for a request; immutable. */
export interface Router<T> {
  /**
   * `host` as sent by the client, `path` as returned by `normalizePath`, `query` "?…" or "", `listener` the name of the receiving listener.
   * Never throws for such a path.
   */
  find(
    host: string,
    path: string,
    method: string,
    headers: Headers,
    query: string,
    listener?: string,
  ): RouteFound<T> | RouteMissing
}

type Table<T> = PathTable<Leaf<T>>

const NOT_FOUND: RouteMissing = { found: false, allow: [] }

/** The path tables of each host. */
class HostTables<T> {
  readonly anyHost: Table<T> = emptyPathTable()
  readonly exactHosts = new Map<string, Table<T>>()
  readonly wildcardHosts = new Map<string, Table<T>>()

  for({ host }: MatchLine<T>): Table<T> {
    if (host === null) return this.anyHost
    return entryFor(host.wildcard ? this.wildcardHosts : this.exactHosts, host.name, emptyPathTable<Leaf<T>>)
  }

  /** The tables for a host, most specific first. */
  of(host: string): Table<T>[] {
    const name = hostName(host)
    const tables = [this.exactHosts.get(name)]
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      tables.push(this.wildcardHosts.get(name.slice(dot + 1)))
    }
    tables.push(this.anyHost)
    return tables.filter((table) => table !== undefined)
  }
}

/** The lines of a routing table by listener, host and path, as searched by a router. */
export class RouterTables<T> {
  readonly anyListener = new HostTables<T>()
  readonly listeners = new Map<string, HostTables<T>>()
  private readonly compile: CompileRegex

  /** `compile` compiles a regular expression; routes with the same expression share the result. */
  constructor(compile: CompileRegex = compileWhole) {
    const known = new Map<string, (text: string) => boolean>()
    this.compile = (regex) => entryFor(known, regex, () => compile(regex))
  }

  /** Inserts the lines of an entry. Throws PatternError and UnusablePattern. */
  add(entry: RouteEntry<T>): void {
    for (const line of linesOf(entry)) {
      const candidate = candidateFor(line, this.compile)
      const table = this.hostTablesFor(line).for(line)
      const leaf = leafFor(table, line.pattern, () => [candidate])
      if (leaf[0] !== candidate) insert(leaf, candidate)
    }
  }

  private hostTablesFor({ listener }: MatchLine<T>): HostTables<T> {
    return listener === null ? this.anyListener : entryFor(this.listeners, listener, () => new HostTables<T>())
  }
}

/** Builds the router for all entries. Throws PatternError and UnusablePattern. */
export function createRouter<T>(entries: readonly RouteEntry<T>[]): Router<T> {
  const tables = new RouterTables<T>()
  for (const entry of entries) tables.add(entry)
  return routerOf(tables)
}

/**
 * The router for tables that no longer change.
 *
 * A request walks the trie of each matching host pattern, most specific first, and takes the first candidate that matches. Each node can be
 * reached in only one way, so a request visits it at most once: backtracking is bounded by the size of the table, whatever the path.
 */
export function routerOf<T>({ anyListener, listeners }: RouterTables<T>): Router<T> {
  const { anyHost, exactHosts, wildcardHosts } = anyListener
  const matchesHosts = exactHosts.size > 0 || wildcardHosts.size > 0 || listeners.size > 0
  const anyHostOnly = [anyHost]

  // Scratch state of a search. Searches are synchronous, so they share it.
  /** Start and end in the path of each parameter on the way to the current node. */
  const bounds: number[] = []
  /** Candidates that matched by path and host, but not by method. */
  let refused: Candidate<T>[] | null = null
  /** The last host, as received, and its tables: most requests have the same host. */
  let known = { host: '', listener: '', tables: anyHostOnly }

  return {
    find(host, path, method, headers, query, listener = '') {
      refused = null
      const tables = matchesHosts ? tablesOf(host, listener) : anyHostOnly
      const candidate = searchTables(tables, path, method, headers, query)
      if (candidate === null) return missing(path, headers, query)
      if (candidate.parameters.length === 0) return candidate.result
      const { value, pattern } = candidate.result
      return { found: true, value, pattern, params: paramsOf(candidate.parameters, path) }
    },
  }

  /** The tables for a host and a listener, most specific first. */
  function tablesOf(host: string, listener: string): Table<T>[] {
    if (host === known.host && listener === known.listener) return known.tables
    const own = listeners.get(listener)?.of(host) ?? []
    known = { host, listener, tables: [...own, ...anyListener.of(host)] }
    return known.tables
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
        (leaf === undefined ? null : select(leaf, path, method, headers, query)) ??
        walk(root, path, 1, 0, method, headers, query)
      if (found !== null) return found
    }
    return null
  }

  /** Searches below a node; `start` is where the next segment begins, beyond the path's length if there is none. */
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
      return select(node.end, path, method, headers, query) ?? select(node.prefix, path, method, headers, query)
    }
    if (node.literals === null && node.parameter === null) return select(node.prefix, path, method, headers, query)
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
    return select(node.prefix, path, method, headers, query)
  }

  function select(
    candidates: Leaf<T> | null,
    path: string,
    method: string,
    headers: Headers,
    query: string,
  ): Candidate<T> | null {
    if (candidates === null) return null
    for (const candidate of candidates) {
      const { methods } = candidate
      if (methods.length > 0 && !methods.includes(method)) {
        refused ??= []
        refused.push(candidate)
        continue
      }
      if (candidate.fits === null || candidate.fits(path, headers, query)) return candidate
    }
    return null
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

  function missing(path: string, headers: Headers, query: string): RouteMissing {
    if (refused === null) return NOT_FOUND
    const close = refused.filter(({ fits }) => fits === null || fits(path, headers, query))
    return { found: false, allow: [...new Set(close.flatMap(({ methods }) => methods))].toSorted() }
  }
}

/** Whether both are the same route with the same pattern and parameters, or both are missing. */
export function isSameMatch<T>(a: RouteFound<T> | RouteMissing, b: RouteFound<T> | RouteMissing): boolean {
  if (!a.found || !b.found) return a.found === b.found
  if (a.value !== b.value) return false
  return Object.entries(a.params).every(([name, value]) => b.params[name] === value)
}
