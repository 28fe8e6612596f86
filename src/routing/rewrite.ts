import { parsePattern, type PathPattern, PatternError } from './pattern.ts'
import { fillTarget, parseTarget, splitHost, type TargetValue } from './target.ts'

/** Removes or replaces a prefix of the path. */
export type PrefixRewrite = { readonly strip: string } | { readonly prefix: string; readonly with: string }

/** How the path and host sent to the service differ from those of the request. */
export type Rewrite = (PrefixRewrite | { readonly path?: string | undefined }) & { readonly host?: string | undefined }

/** The parts of a request that a rewrite may refer to. */
export interface RewrittenRequest {
  /** The normalized path. */
  readonly path: string
  readonly host: string
  readonly client: { readonly scheme: 'http' | 'https' }
  readonly params: Readonly<Record<string, string>>
}

const PATH_VALUES: ReadonlySet<TargetValue> = new Set<TargetValue>(['path'])
const HOST_VALUES: ReadonlySet<TargetValue> = new Set<TargetValue>(['host', 'hostname', 'port'])

/** Whether it rewrites a prefix. */
export function isOfPrefix(rewrite: Rewrite): rewrite is PrefixRewrite {
  return 'strip' in rewrite || 'prefix' in rewrite
}

/** Throws PatternError if a template refers to anything that not every pattern has. */
export function checkRewrite(rewrite: Rewrite, patterns: readonly PathPattern[]): void {
  if (!isOfPrefix(rewrite) && rewrite.path !== undefined) parseTarget(rewrite.path, patterns, PATH_VALUES)
  if (rewrite.host !== undefined) parseTarget(rewrite.host, patterns, HOST_VALUES)
}

/** Compiles the path for the service, for requests matching the pattern; null if the rewrite does not change it. Throws PatternError. */
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

/**
 * Compiles the host to request from the service, for requests matching the pattern; null if the rewrite does not set one. Throws
 * PatternError.
 */
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
 * Compiles the rewrite of a prefix of normalized paths. It works on whole segments, leaves a path without the prefix unchanged, and
 * produces a normalized path. Throws PatternError if a prefix is not a plain path.
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

/** The inverse rewrite, for paths in replies. */
export function inverse(rewrite: PrefixRewrite): PrefixRewrite {
  if ('strip' in rewrite) return { prefix: '/', with: rewrite.strip }
  return { prefix: rewrite.with, with: rewrite.prefix }
}

/** The prefix that is hidden from the service; null unless it is simply removed. Throws PatternError. */
export function strippedPrefix(rewrite: PrefixRewrite): string | null {
  const prefix = parsePrefix('strip' in rewrite ? rewrite.strip : rewrite.prefix)
  const replacement = parsePrefix('strip' in rewrite ? '/' : rewrite.with)
  return replacement === '' && prefix !== '' ? prefix : null
}

/** The prefix without a trailing slash: "" for "/". */
function parsePrefix(text: string): string {
  const pattern = parsePattern(text)
  if (pattern.isPrefix || pattern.segments.some((segment) => 'parameter' in segment)) {
    throw new PatternError('must be a plain path such as /api/v1, without "*" and parameters')
  }
  return pattern.text.endsWith('/') ? pattern.text.slice(0, -1) : pattern.text
}
