import { normalizePath } from '../../routing/path.ts'
import { parsePattern, type PathPattern } from '../../routing/pattern.ts'
import { isOfPrefix } from '../../routing/rewrite.ts'
import type { Hint, HintRule } from './hint.ts'

/** Rewrites of a prefix that no path of their route begins with, and rewrites that change nothing. */
export const rewriteHints: HintRule = ({ routes }) =>
  routes.flatMap(({ match, rewrite }, i): Hint[] => {
    if (rewrite === undefined || !isOfPrefix(rewrite)) return []
    const key = 'strip' in rewrite ? 'strip' : 'prefix'
    const prefix = segmentsOf('strip' in rewrite ? rewrite.strip : rewrite.prefix)
    const into = 'strip' in rewrite ? [] : segmentsOf(rewrite.with)
    const path = ['routes', i, 'rewrite', key]
    if (prefix.join('/') === into.join('/'))
      return [{ path, message: 'changes nothing: the path stays the same. Remove it, or use another prefix.' }]
    if (match.path.some((pattern) => mayBegin(parsePattern(pattern), prefix))) return []
    const paths = match.path.map((pattern) => JSON.stringify(pattern)).join(', ')
    return [
      {
        path,
        message: `never applies: no path that matches ${paths} starts with it. Use a prefix of these paths, or remove it.`,
      },
    ]
  })

/** Without the empty segment that a trailing slash produces. */
function segmentsOf(path: string): string[] {
  return (normalizePath(path) ?? path).split('/').filter((segment) => segment !== '')
}

function mayBegin({ segments, isPrefix }: PathPattern, prefix: readonly string[]): boolean {
  if (!isPrefix && segments.length < prefix.length) return false
  return prefix.every((part, i) => {
    const segment = segments[i]
    return segment === undefined || !('literal' in segment) || segment.literal === part
  })
}
