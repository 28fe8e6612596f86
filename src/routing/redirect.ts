import type { PathPattern } from './pattern.ts'
import { fillTarget, parseTarget, splitHost, type Target, type TargetValue } from './target.ts'

/** A request, as far as a redirect speaks of it. */
export interface RedirectedRequest {
  readonly scheme: 'http' | 'https'
  readonly host: string
  /** In its normal form. */
  readonly path: string
  /** "?…" or "". */
  readonly query: string
  readonly params: Readonly<Record<string, string>>
}

/** What a request says of itself, by the names that templates have for it. */
export const REQUEST_VALUES: ReadonlySet<TargetValue> = new Set<TargetValue>([
  'host',
  'hostname',
  'port',
  'path',
  'scheme',
])

/** Parses where a redirect leads. Throws PatternError for what is not known to all patterns. */
export function parseRedirect(to: string, patterns: readonly PathPattern[]): Target {
  return parseTarget(to, patterns, REQUEST_VALUES)
}

/**
 * Makes the Location for requests that take the pattern. Values are percent-encoded, so that none of them can lead to
 * another host; the query of the request goes along if `query` is true.
 */
export function compileRedirect(
  target: Target,
  pattern: PathPattern,
  query: boolean,
): (request: RedirectedRequest) => string {
  const depth = pattern.segments.length
  return (request) => {
    const location = fillTarget(target, depth, request.path, request.params, (value) => valueOf(request, value)) || '/'
    return query && request.query !== '' ? withQuery(location, request.query) : location
  }
}

/** One of these, of that request. */
export function valueOf(
  { host, path, scheme }: Pick<RedirectedRequest, 'host' | 'path' | 'scheme'>,
  value: TargetValue,
): string {
  if (value === 'host') return host
  if (value === 'path') return path
  if (value === 'scheme') return scheme
  const { name, port } = splitHost(host, scheme)
  return value === 'port' ? port : name
}

/** The query goes before a fragment, and behind a query that is there already. */
function withQuery(location: string, query: string): string {
  const hash = location.indexOf('#')
  const [url, fragment] = hash === -1 ? [location, ''] : [location.slice(0, hash), location.slice(hash)]
  return (url.includes('?') ? `${url}&${query.slice(1)}` : url + query) + fragment
}
