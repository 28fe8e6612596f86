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

/** A request to be matched by a router. */
export interface RoutedRequest {
  /** As the client sent it. */
  readonly host: string
  /** The normalized path. */
  readonly path: string
  readonly method: string
  readonly headers: Headers
  /** "?…", or "". */
  readonly query: string
  /** Name of the listener that receives it. */
  readonly listener: string
}

/** A condition that a request does not meet. */
export type Unmet =
  | { readonly what: 'listener' | 'host' | 'path' | 'path-regex'; readonly expected: string }
  | { readonly what: 'method'; readonly expected: readonly string[] }
  | {
      readonly what: 'header' | 'query'
      readonly name: string
      readonly expected: ValueMatch
      /** Whether it is present with a different value. */
      readonly present: boolean
    }

/** The result of matching one request against a line of the routing table. */
export interface TriedLine<T> {
  readonly value: T
  /** The text of its path pattern. */
  readonly pattern: string
  /** Null for every host. */
  readonly host: string | null
  readonly listener: string | null
  /** Empty if the line accepts the request, unless an earlier line does. If the path does not match, only that is listed. */
  readonly unmet: readonly Unmet[]
}

const NO_HEADERS = Headers.of()

/** Matches every path; used when testing other conditions on their own. */
const ANY_PATH = ['/*']

/** A single condition of a line, tested on its own. */
interface Part {
  readonly fits: (request: RoutedRequest) => boolean
  readonly unmet: (request: RoutedRequest) => Unmet
}

/** A line with its conditions, which are created on demand, as most lines are for other paths. */
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
      () => ({ what: 'path', expected: text }),
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
 * For each line of a routing table, in the order in which a router tries them, lists the conditions that a request does not meet. A request
 * takes the first line whose conditions it meets. Each condition is tested by a router that has nothing else, so that paths, hosts and
 * values are interpreted in only one way. For occasional use, as every line is examined. Throws PatternError and UnusablePattern.
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
          expected: listener,
        }),
      ),
    )
  if (host !== null)
    parts.push(
      alone(
        { path: ANY_PATH, host: [host] },
        ({ host: requestHost }) => ({ host: requestHost }),
        () => ({ what: 'host', expected: host }),
      ),
    )
  if (methods.length > 0)
    parts.push(
      alone(
        { path: ANY_PATH, method: methods },
        ({ method }) => ({ method }),
        () => ({ what: 'method', expected: methods }),
      ),
    )
  if (pathRegex !== null)
    parts.push(
      alone(
        { path: ANY_PATH, pathRegex },
        ({ path }) => ({ path }),
        () => ({ what: 'path-regex', expected: pathRegex }),
      ),
    )
  for (const condition of headers) {
    const { name } = condition
    const expected = valueOf(condition)
    parts.push(
      alone(
        { path: ANY_PATH, headers: { [name]: expected } },
        (request) => ({ headers: request.headers }),
        (request) => ({
          what: 'header',
          name,
          expected,
          present: request.headers.has(name),
        }),
      ),
    )
  }
  for (const condition of query) {
    const { name } = condition
    const expected = valueOf(condition)
    parts.push(
      alone(
        { path: ANY_PATH, query: { [name]: expected } },
        (request) => ({ query: request.query }),
        (request) => ({
          what: 'query',
          name,
          expected,
          present: new URLSearchParams(request.query).has(name),
        }),
      ),
    )
  }
  return parts
}

/** Tests a single condition, considering only the parts of the request that `seen` selects. */
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
