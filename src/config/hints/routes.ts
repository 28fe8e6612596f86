import { fieldOf } from '../../core/value.ts'
import type { Hint, HintRule } from './hint.ts'

/** A configuration without routes, and policies that a route turns off although nothing turns them on. */
export const routeHints: HintRule = ({ routes, policies }) => {
  if (routes.length === 0) return [{ path: ['routes'], message: 'none: every request gets 404. Add one under routes.' }]
  return routes.flatMap((route, i): Hint[] =>
    Object.entries(route.policies).flatMap(([name, options]): Hint[] => {
      if (options !== false || isOn(fieldOf(policies, name))) return []
      const message = `turns off a policy that is not on: there is no ${name} under policies. Remove it, or add the policy there.`
      return [{ path: ['routes', i, 'policies', name], message }]
    }),
  )
}

function isOn(options: unknown): boolean {
  return options !== undefined && options !== false
}
