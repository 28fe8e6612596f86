import { PatternError, type PathPattern, parameterNames } from './pattern.ts'

/** A part of the target of a redirect: text, a parameter of the route's pattern, or what the request says. */
export type TargetPart =
  | { readonly text: string }
  | { readonly parameter: string }
  | { readonly value: 'host' | 'path' | 'scheme' }

/** Where a redirect leads. */
export interface RedirectTarget {
  readonly parts: readonly TargetPart[]
  /** It ends in "/*": what stands for "*" in the pattern comes behind. */
  readonly rest: boolean
}

/** A request, as far as a target speaks of it. */
export interface RedirectedRequest {
  readonly scheme: string
  readonly host: string
  /** In its normal form. */
  readonly path: string
  /** "?…" or "". */
  readonly query: string
  readonly params: Readonly<Record<string, string>>
}

const PLACEHOLDER = /\{([^{}]*)\}/g
const VALUES = new Set<string>(['host', 'path', 'scheme'])

/**
 * Parses "/new/{id}", "/new/*" or "https://{host}{path}". `{id}` is a parameter of the pattern; {host}, {path} and {scheme}
 * are those of the request, unless a parameter is called so. Throws PatternError for what is not known to all patterns.
 */
export function parseRedirect(to: string, patterns: readonly PathPattern[]): RedirectTarget {
  const rest = to.endsWith('/*')
  if (rest && patterns.some((pattern) => !pattern.rest))
    throw new PatternError('ends in "/*", which not every path of the route does')
  const parts: TargetPart[] = []
  let at = 0
  const text = rest ? to.slice(0, -2) : to
  for (const match of text.matchAll(PLACEHOLDER)) {
    const part = partFor(match[1]!, patterns)
    const before = text.slice(at, match.index)
    // "//…" would lead to another host.
    if ('value' in part && part.value === 'path' && before.endsWith('/'))
      throw new PatternError('has "/" before {path}, which begins with one')
    parts.push({ text: before }, part)
    at = match.index + match[0].length
  }
  parts.push({ text: text.slice(at) })
  const literals = parts.map((part) => ('text' in part ? part.text : '')).join('')
  if (/[{}]/.test(literals)) throw new PatternError('has a single "{" or "}": placeholders are written {name}')
  return { parts, rest }
}

function partFor(name: string, patterns: readonly PathPattern[]): TargetPart {
  if (patterns.every(({ segments }) => parameterNames(segments).includes(name))) return { parameter: name }
  if (name === 'host' || name === 'path' || name === 'scheme') return { value: name }
  const known = patterns
    .map(({ segments }) => parameterNames(segments))
    .reduce((all, names) => all.filter((each) => names.includes(each)))
  const allowed = [...known, ...VALUES].map((each) => `{${each}}`).join(' ')
  throw new PatternError(`has {${name}}, which is no parameter of every path of the route; allowed are ${allowed}`)
}

/**
 * Makes the Location for requests that take the pattern. Values are percent-encoded, so that none of them can lead to
 * another host; the query of the request goes along if `query` is true.
 */
export function compileRedirect(
  target: RedirectTarget,
  pattern: PathPattern,
  query: boolean,
): (request: RedirectedRequest) => string {
  const depth = pattern.segments.length
  return (request) => {
    let location = ''
    for (const part of target.parts) location += textOf(part, request)
    if (target.rest) location += behind(request.path, depth) || (location === '' ? '/' : '')
    return query && request.query !== '' ? withQuery(location, request.query) : location
  }
}

function textOf(part: TargetPart, request: RedirectedRequest): string {
  if ('text' in part) return part.text
  if ('parameter' in part) return encodeURIComponent(request.params[part.parameter] ?? '')
  return request[part.value]
}

/** What follows so many segments of the path: "" or "/…". */
function behind(path: string, depth: number): string {
  let at = 0
  for (let i = 0; i < depth; i++) {
    at = path.indexOf('/', at + 1)
    if (at === -1) return ''
  }
  return path.slice(at)
}

/** The query goes before a fragment, and behind a query that is there already. */
function withQuery(location: string, query: string): string {
  const hash = location.indexOf('#')
  const [url, fragment] = hash === -1 ? [location, ''] : [location.slice(0, hash), location.slice(hash)]
  return (url.includes('?') ? `${url}&${query.slice(1)}` : url + query) + fragment
}
