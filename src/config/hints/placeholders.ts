import { nginxVariable } from '../../core/nginx-variable.ts'
import type { Hint, HintRule } from './hint.ts'

/** Targets of redirects and rewrites with placeholders of other proxies, which are text here. */
export const placeholderHints: HintRule = ({ routes }) =>
  routes.flatMap(({ redirect, rewrite }, i): Hint[] => [
    ...hintFor(redirect?.to, ['routes', i, 'redirect', 'to']),
    ...hintFor(rewrite !== undefined && 'path' in rewrite ? rewrite.path : undefined, ['routes', i, 'rewrite', 'path']),
  ])

function hintFor(target: string | undefined, path: Hint['path']): Hint[] {
  if (target === undefined) return []
  // A group of a regular expression, or a parameter of other routers.
  const placeholder = /\$\d|(?<=\/):[a-z]\w*/.exec(target)?.[0] ?? nginxVariable(target)
  if (placeholder === undefined) return []
  const message = `"${placeholder}" stands for itself here. Write {NAME} for a parameter of the path, or /* at the end for the rest of the path.`
  return [{ path, message }]
}
