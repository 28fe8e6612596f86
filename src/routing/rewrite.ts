import { parsePattern, type PathPattern, PatternError } from './pattern.ts'
import { fillTarget, parseTarget, splitHost, type TargetValue } from './target.ts'

/** A prefix of the path is left out or replaced. */
export type PrefixRewrite = { readonly strip: string } | { readonly prefix: string; readonly with: string }

/** How the path that goes to the service differs from the one that came, and which host it is asked for. */
export type Rewrite = (PrefixRewrite | { readonly path?: string | undefined }) & { readonly host?: string | undefined }

/** A request, as far as a rewrite speaks of it. */
export interface RewrittenRequest {
  /** In its normal form. */
  readonly path: string
  readonly host: string
  readonly client: { readonly scheme: 'http' | 'https' }
  readonly params: Readonly<Record<string, string>>
}

const PATH_VALUES: ReadonlySet<TargetValue> = new Set<TargetValue>(['path'])
const HOST_VALUES: ReadonlySet<TargetValue> = new Set<TargetValue>(['host', 'hostname', 'port'])

/** Whether it is about a prefix. */
export function isOfPrefix(rewrite: Rewrite): rewrite is PrefixRewrite {
  return 'strip' in rewrite || 'prefix' in rewrite
}

/** Throws PatternError where a template speaks of what not every pattern has. */
export function checkRewrite(rewrite: Rewrite, patterns: readonly PathPattern[]): void {
  if (!isOfPrefix(rewrite) && rewrite.path !== undefined) parseTarget(rewrite.path, patterns, PATH_VALUES)
  if (rewrite.host !== undefined) parseTarget(rewrite.host, patterns, HOST_VALUES)
}

/** The path for the service, of requests that take the pattern; null where the rewrite leaves it alone. Throws PatternError. */
export function compilePath(rewrite: Rewrite, pattern: PathPattern): ((request: RewrittenRequest) => string) | null {
  if (isOfPrefix(rewrite)) {
    const change = compileRewrite(rewrite)
    return ({ path }) => change(path)
  }
  if (rewrite.path === undefined) return null
  const target = parseTarget(rewrite.path, [pattern], PATH_VALUES)
  const depth = pattern.segments.length
  return ({ path, params }) => fillTarget(target, depth, path, params, () => path) || '/'
}

/** The host that the service is asked for, of requests that take the pattern; null where the rewrite says none. Throws PatternError. */
export function compileHost(rewrite: Rewrite, pattern: PathPattern): ((request: RewrittenRequest) => string) | null {
  if (rewrite.host === undefined) return null
  const target = parseTarget(rewrite.host, [pattern], HOST_VALUES)
  return ({ path, host, client, params }) =>
    fillTarget(target, 0, path, params, (value) => {
      if (value === 'host') return host
      const { name, port } = splitHost(host, client.scheme)
      return value === 'port' ? port : name
    })
}

/**
 * Compiles a rewrite of a prefix of normalised paths. It works on whole segments, leaves a path without the prefix as it is, and
 * its result is a normalised path. Throws PatternError when a prefix is not a plain path.
 */
export function compileRewrite(rewrite: PrefixRewrite): (path: string) => string {
  const prefix = parsePrefix('strip' in rewrite ? rewrite.strip : rewrite.prefix)
  const replacement = parsePrefix('strip' in rewrite ? '/' : rewrite.with)
  const below = `${prefix}/`
  return (path) => {
    if (path !== prefix && !path.startsWith(below)) return path
    return replacement + path.slice(prefix.length) || '/'
  }
}

/** The rewrite of paths in replies that undoes another one. */
export function inverse(rewrite: PrefixRewrite): PrefixRewrite {
  if ('strip' in rewrite) return { prefix: '/', with: rewrite.strip }
  return { prefix: rewrite.with, with: rewrite.prefix }
}

/** The prefix that the service does not see: null where it is not only left out. Throws PatternError. */
export function strippedPrefix(rewrite: PrefixRewrite): string | null {
  const prefix = parsePrefix('strip' in rewrite ? rewrite.strip : rewrite.prefix)
  const replacement = parsePrefix('strip' in rewrite ? '/' : rewrite.with)
  return replacement === '' && prefix !== '' ? prefix : null
}

/** The prefix without a trailing slash: "" for "/". */
function parsePrefix(text: string): string {
  const pattern = parsePattern(text)
  if (pattern.rest || pattern.segments.some((segment) => 'parameter' in segment)) {
    throw new PatternError('must be a plain path such as /api/v1, without "*" and parameters')
  }
  return pattern.text.endsWith('/') ? pattern.text.slice(0, -1) : pattern.text
}
