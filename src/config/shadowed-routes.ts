import { routingTable } from '../routing/match.ts'
import { parsePattern, type PathPattern } from '../routing/pattern.ts'
import { endpointsSchema, ownPaths } from './endpoints-schema.ts'
import { type Finding, lookAt } from './issues.ts'
import type { Path } from './problems.ts'
import type { RouteConfig } from './schema.ts'
import { fieldOf, itemsOf } from '../core/value.ts'

/**
 * Routes at or below the path of one of the gateway's own endpoints that would take its requests. That an endpoint takes precedence over a
 * route such as "/*" is expected.
 */
export function checkShadowed(config: unknown, matches: readonly (RouteConfig['match'] | undefined)[]): Finding[] {
  const endpoints = lookAt(endpointsSchema, fieldOf(config, 'endpoints') ?? {})
  if (endpoints?.success !== true) return []
  const own = ownPaths(endpoints.data)
  return itemsOf(fieldOf(config, 'routes')).flatMap((route, i) => {
    const match = matches[i]
    // A route with a listener or host takes precedence over the gateway's own endpoints.
    if (match === undefined || match.listener !== undefined || match.host !== undefined) return []
    const isList = Array.isArray(fieldOf(fieldOf(route, 'match'), 'path'))
    return match.path.flatMap((pattern, j): Finding[] => {
      const found = own.find(({ endpoint, path }) => {
        const root = endpoints.data[endpoint]
        if (root === false || !(pattern === root || pattern.startsWith(`${root}/`))) return false
        const [first] = routingTable([
          { match: { ...match, path: [pattern] }, value: 'route' },
          { match: { path: [path], method: ['GET'] }, value: 'endpoint' },
        ])
        return first?.value === 'endpoint' && overlap(parsePattern(path), parsePattern(pattern)) && takesGet(match)
      })
      if (found === undefined) return []
      const path: Path = ['routes', i, 'match', 'path', ...(isList ? [j] : [])]
      const message =
        `the gateway answers GET ${found.path} itself, before this route; expected another path, or another place for ` +
        `the endpoint: endpoints: { ${found.endpoint}: /other }, or false`
      return [{ path, isKey: false, message }]
    })
  })
}

function takesGet({ method = [] }: { readonly method?: readonly string[] | undefined }): boolean {
  return method.length === 0 || method.includes('GET')
}

/** Whether some path matches both. */
function overlap(a: PathPattern, b: PathPattern): boolean {
  if (!a.isPrefix && !b.isPrefix && a.segments.length !== b.segments.length) return false
  if (!a.isPrefix && a.segments.length < b.segments.length) return false
  if (!b.isPrefix && b.segments.length < a.segments.length) return false
  return a.segments.every((segment, i) => {
    const other = b.segments[i]
    if (other === undefined) return true
    if ('literal' in segment && 'literal' in other) return segment.literal === other.literal
    // A parameter is never empty.
    return !('literal' in segment && segment.literal === '') && !('literal' in other && other.literal === '')
  })
}
