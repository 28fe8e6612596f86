import { parsePattern, PatternError } from './pattern.ts'

/** How the path that goes to the service differs from the one that came: a prefix is left out or replaced. */
export type Rewrite = { readonly strip: string } | { readonly prefix: string; readonly with: string }

/**
 * Compiles a rewrite of normalised paths. It works on whole segments, leaves a path without the prefix as it is, and
 * its result is a normalised path. Throws PatternError when a prefix is not a plain path.
 */
export function compileRewrite(rewrite: Rewrite): (path: string) => string {
  const prefix = parsePrefix('strip' in rewrite ? rewrite.strip : rewrite.prefix)
  const replacement = parsePrefix('strip' in rewrite ? '/' : rewrite.with)
  const below = `${prefix}/`
  return (path) => {
    if (path !== prefix && !path.startsWith(below)) return path
    return replacement + path.slice(prefix.length) || '/'
  }
}

/** The rewrite of paths in replies that undoes another one. */
export function inverse(rewrite: Rewrite): Rewrite {
  if ('strip' in rewrite) return { prefix: '/', with: rewrite.strip }
  return { prefix: rewrite.with, with: rewrite.prefix }
}

/** The prefix that the service does not see: null where it is not only left out. Throws PatternError. */
export function strippedPrefix(rewrite: Rewrite): string | null {
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
