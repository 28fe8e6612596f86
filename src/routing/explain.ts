import { Headers } from '../http/headers.ts'
import type { HostPattern } from './host.ts'
import {
  type Condition,
  type MatchLine,
  type RouteEntry,
  type RouteMatch,
  routingTable,
  type ValueMatch,
} from './match.ts'
import { createRouter, type Router } from './router.ts'

/** A request as a router is asked about it. */
export interface RoutedRequest {
  /** As the client sent it. */
  readonly host: string
  /** In its normal form. */
  readonly path: string
  readonly method: string
  readonly headers: Headers
  /** "?…", or "". */
  readonly query: string
  /** Name of the listener that it comes by. */
  readonly listener: string
}

/** What of a line a request does not fulfil. */
export type Unmet =
  | { readonly what: 'listener' | 'host' | 'path' | 'path-regex'; readonly wanted: string }
  | { readonly what: 'method'; readonly wanted: readonly string[] }
  | {
      readonly what: 'header' | 'query'
      readonly name: string
      readonly wanted: ValueMatch
      /** It is there, with another value. */
      readonly present: boolean
    }

/** A line of the routing table, tried on one request. */
export interface TriedLine<T> {
  readonly value: T
  /** The text of its path pattern. */
  readonly pattern: string
  /** Null for every host. */
  readonly host: string | null
  readonly listener: string | null
  /** Empty where the line takes the request, unless one before it does. Of a line for other paths, that alone. */
  readonly unmet: readonly Unmet[]
}

const NO_HEADERS = Headers.of()

/** Every path, for what is tried apart from it. */
const ANY_PATH = ['/*']

/** One thing that a line wants, tried apart from everything else it wants. */
interface Part {
  readonly fits: (request: RoutedRequest) => boolean
  readonly unmet: (request: RoutedRequest) => Unmet
}

/** A line with what it wants; made when it is asked for, as most lines are for other paths. */
class Line<T> {
  readonly line: MatchLine<T>
  readonly host: string | null
  private readonly path: Part
  private others: readonly Part[] | null = null

  constructor(line: MatchLine<T>) {
    this.line = line
    this.host = hostText(line.host)
    const { text } = line.pattern
    this.path = alone(
      { path: [text] },
      ({ path }) => ({ path }),
      () => ({ what: 'path', wanted: text }),
    )
  }

  try(request: RoutedRequest): TriedLine<T> {
    const { line, host, path } = this
    const { value, pattern, listener } = line
    const tried = { value, pattern: pattern.text, host, listener }
    if (!path.fits(request)) return { ...tried, unmet: [path.unmet(request)] }
    this.others ??= partsOf(line, host)
    return { ...tried, unmet: this.others.filter(({ fits }) => !fits(request)).map(({ unmet }) => unmet(request)) }
  }
}

/**
 * Tells of each line of a routing table, in the order in which a router tries them, what a request lacks to take it. A request takes
 * the first line that it lacks nothing for. Each thing that a line wants is tried by a router that has nothing else, so that there is one
 * way only to read paths, hosts and values. For single questions: every line is looked at. Throws PatternError and UnusablePattern.
 */
export function createExplainer<T>(entries: readonly RouteEntry<T>[]): (request: RoutedRequest) => TriedLine<T>[] {
  const lines = routingTable(entries).map((line) => new Line(line))
  return (request) => lines.map((line) => line.try(request))
}

function partsOf<T>(line: MatchLine<T>, host: string | null): Part[] {
  const { listener, pathRegex, methods, headers, query } = line
  const parts: Part[] = []
  if (listener !== null)
    parts.push(
      alone(
        { path: ANY_PATH, listener: [listener] },
        ({ listener: by }) => ({ listener: by }),
        () => ({
          what: 'listener',
          wanted: listener,
        }),
      ),
    )
  if (host !== null)
    parts.push(
      alone(
        { path: ANY_PATH, host: [host] },
        ({ host: asked }) => ({ host: asked }),
        () => ({ what: 'host', wanted: host }),
      ),
    )
  if (methods.length > 0)
    parts.push(
      alone(
        { path: ANY_PATH, method: methods },
        ({ method }) => ({ method }),
        () => ({ what: 'method', wanted: methods }),
      ),
    )
  if (pathRegex !== null)
    parts.push(
      alone(
        { path: ANY_PATH, pathRegex },
        ({ path }) => ({ path }),
        () => ({ what: 'path-regex', wanted: pathRegex }),
      ),
    )
  for (const condition of headers) {
    const { name } = condition
    const wanted = valueOf(condition)
    parts.push(
      alone(
        { path: ANY_PATH, headers: { [name]: wanted } },
        (request) => ({ headers: request.headers }),
        (request) => ({
          what: 'header',
          name,
          wanted,
          present: request.headers.has(name),
        }),
      ),
    )
  }
  for (const condition of query) {
    const { name } = condition
    const wanted = valueOf(condition)
    parts.push(
      alone(
        { path: ANY_PATH, query: { [name]: wanted } },
        (request) => ({ query: request.query }),
        (request) => ({
          what: 'query',
          name,
          wanted,
          present: new URLSearchParams(request.query).has(name),
        }),
      ),
    )
  }
  return parts
}

/** Tries one thing: of a request, only what `seen` takes of it counts. */
function alone(
  match: RouteMatch,
  seen: (request: RoutedRequest) => Partial<RoutedRequest>,
  unmet: (request: RoutedRequest) => Unmet,
): Part {
  const router: Router<null> = createRouter([{ match, value: null }])
  return {
    fits(request) {
      const { host = '', path = '/', method = 'GET', headers = NO_HEADERS, query = '', listener = '' } = seen(request)
      return router.find(host, path, method, headers, query, listener).found
    },
    unmet,
  }
}

function hostText(host: HostPattern | null): string | null {
  if (host === null) return null
  return host.wildcard ? `*.${host.name}` : host.name
}

function valueOf({ values, regex }: Condition): ValueMatch {
  if (regex !== null) return { regex }
  const [only] = values
  if (only === undefined) return true
  return values.length === 1 ? only : values
}
