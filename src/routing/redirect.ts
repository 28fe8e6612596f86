import type { PathPattern } from './pattern.ts'
import { fillTarget, parseTarget, splitHost, type Target, type TargetValue } from './target.ts'

/** The parts of a request that a redirect may refer to. */
export interface RedirectedRequest {
  readonly scheme: 'http' | 'https'
  readonly host: string
  /** The normalized path. */
  readonly path: string
  /** "?…" or "". */
  readonly query: string
  readonly params: Readonly<Record<string, string>>
}

/** Request values that templates may refer to, by name. */
export const REQUEST_VALUES: ReadonlySet<TargetValue> = new Set<TargetValue>([
  'host',
  'hostname',
  'port',
  'path',
  'scheme',
])

/** Parses the target of a redirect. Throws PatternError for anything not available in all patterns. */
export function parseRedirect(to: string, patterns: readonly PathPattern[]): Target {
  return parseTarget(to, patterns, REQUEST_VALUES)
}

/**
 * Creates the Location for requests matching the pattern. Values are percent-encoded, so that none of them can lead to another host; the
 * query of the request is appended if `query` is true.
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

/** One of these values for a request. */
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

/** Inserts the query before a fragment and after an existing query. */
function withQuery(location: string, query: string): string {
  const hash = location.indexOf('#')
  const [url, fragment] = hash === -1 ? [location, ''] : [location.slice(0, hash), location.slice(hash)]
  return (url.includes('?') ? `${url}&${query.slice(1)}` : url + query) + fragment
}
