import { PatternError, type PathPattern, parameterNames } from './pattern.ts'

/** What a request says of itself: its host with and without the port, its port, its path and its scheme. */
export type TargetValue = 'host' | 'hostname' | 'port' | 'path' | 'scheme'

/** A part of a target: text, a parameter of the route's pattern, or what the request says. */
export type TargetPart = { readonly text: string } | { readonly parameter: string } | { readonly value: TargetValue }

/** Where a redirect leads, or what a rewrite makes of a request. */
export interface Target {
  readonly parts: readonly TargetPart[]
  /** It ends in "/*": what stands for "*" in the pattern comes behind. */
  readonly rest: boolean
}

const PLACEHOLDER = /\{([^{}]*)\}/g

/**
 * Parses a text with placeholders such as "/new/{id}", "/new/*" or "https://{host}{path}". `{id}` is a parameter of the pattern; values
 * that are allowed are those of the request, unless a parameter is called so. Throws PatternError for what is not known to all patterns.
 */
export function parseTarget(to: string, patterns: readonly PathPattern[], values: ReadonlySet<TargetValue>): Target {
  const rest = to.endsWith('/*')
  if (rest && patterns.some((pattern) => !pattern.rest))
    throw new PatternError('ends in "/*", which not every path of the route does')
  const parts: TargetPart[] = []
  let at = 0
  const text = rest ? to.slice(0, -2) : to
  for (const match of text.matchAll(PLACEHOLDER)) {
    const part = partFor(match[1]!, patterns, values)
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
  return { parts: parts.filter((part) => !('text' in part) || part.text !== ''), rest }
}

/** What a placeholder of that name stands for. Throws PatternError for one that is not known to all patterns. */
export function partFor(name: string, patterns: readonly PathPattern[], values: ReadonlySet<TargetValue>): TargetPart {
  if (patterns.every(({ segments }) => parameterNames(segments).includes(name))) return { parameter: name }
  const value = [...values].find((each) => each === name)
  if (value !== undefined) return { value }
  const known = patterns
    .map(({ segments }) => parameterNames(segments))
    .reduce((all, names) => all.filter((each) => names.includes(each)))
  const allowed = [...known, ...values].map((each) => `{${each}}`).join(' ')
  throw new PatternError(`has {${name}}, which is no parameter of every path of the route; allowed are ${allowed}`)
}

/** The text of a target for a request that takes a pattern with so many segments. Parameters are percent-encoded. */
export function fillTarget(
  { parts, rest }: Target,
  depth: number,
  path: string,
  params: Readonly<Record<string, string>>,
  valueOf: (value: TargetValue) => string,
): string {
  let filled = ''
  for (const part of parts) {
    if ('text' in part) filled += part.text
    else if ('parameter' in part) filled += encodeURIComponent(params[part.parameter] ?? '')
    else filled += valueOf(part.value)
  }
  return rest ? filled + behind(path, depth) : filled
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

/** Host and port that a request names, or the port of its scheme. */
export function splitHost(host: string, scheme: 'http' | 'https'): { readonly name: string; readonly port: string } {
  const [, name = host, port = ''] = /^(.*?)(?::(\d*))?$/.exec(host) ?? []
  return { name, port: port || DEFAULT_PORTS[scheme] }
}

const DEFAULT_PORTS = { http: '80', https: '443' } as const
