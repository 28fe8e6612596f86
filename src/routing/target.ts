import { PatternError, type PathPattern, parameterNames } from './pattern.ts'

/** Request values: host with and without the port, port, path and scheme. */
export type TargetValue = 'host' | 'hostname' | 'port' | 'path' | 'scheme'

/** A part of a target: text, a parameter of the route's pattern, or a request value. */
export type TargetPart = { readonly text: string } | { readonly parameter: string } | { readonly value: TargetValue }

/** The target of a redirect, or of a rewrite. */
export interface Target {
  readonly parts: readonly TargetPart[]
  /** Whether it ends in "/*": whatever matches "*" in the pattern is appended. */
  readonly isPrefix: boolean
}

const PLACEHOLDER = /\{([^{}]*)\}/g

/**
 * Parses a text with placeholders such as "/new/{id}", "/new/*" or "https://{host}{path}". `{id}` is a parameter of the pattern; `values`
 * are the request values allowed, which parameters of the same name take precedence over. Throws PatternError for anything not available in
 * all patterns.
 */
export function parseTarget(to: string, patterns: readonly PathPattern[], values: ReadonlySet<TargetValue>): Target {
  const isPrefix = to.endsWith('/*')
  if (isPrefix && patterns.some((pattern) => !pattern.isPrefix))
    throw new PatternError('ends in "/*", which not every path of the route does')
  const parts: TargetPart[] = []
  let at = 0
  const text = isPrefix ? to.slice(0, -2) : to
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
  return { parts: parts.filter((part) => !('text' in part) || part.text !== ''), isPrefix }
}

/** The meaning of a placeholder name. Throws PatternError for one not available in all patterns. */
export function partFor(name: string, patterns: readonly PathPattern[], values: ReadonlySet<TargetValue>): TargetPart {
  if (patterns.every(({ segments }) => parameterNames(segments).includes(name))) return { parameter: name }
  const value = [...values].find((each) => each === name)
  if (value !== undefined) return { value }
  const known = patterns
    .map(({ segments }) => parameterNames(segments))
    .reduce((all, names) => all.filter((each) => names.includes(each)))
  const allowed = [...known, ...values].map((each) => `{${each}}`).join(' ')
  throw new PatternError(`has {${name}}, which is not a parameter of every path of the route; allowed are ${allowed}`)
}

/** The text of a target for a request matching a pattern with that many segments. Parameters are percent-encoded. */
export function fillTarget(
  { parts, isPrefix }: Target,
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
  return isPrefix ? filled + behind(path, depth) : filled
}

/** What follows that many segments of the path: "" or "/…". */
function behind(path: string, depth: number): string {
  let at = 0
  for (let i = 0; i < depth; i++) {
    at = path.indexOf('/', at + 1)
    if (at === -1) return ''
  }
  return path.slice(at)
}

/** The host and port of a request, with the default port of its scheme. */
export function splitHost(host: string, scheme: 'http' | 'https'): { readonly name: string; readonly port: string } {
  const [, name = host, port = ''] = /^(.*?)(?::(\d*))?$/.exec(host) ?? []
  return { name, port: port || DEFAULT_PORTS[scheme] }
}

const DEFAULT_PORTS = { http: '80', https: '443' } as const
