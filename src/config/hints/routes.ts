import { fieldOf } from '../../core/value.ts'
import type { Hint, HintRule } from './hint.ts'

/** No routes at all, and policies that a route switches off though nothing has switched them on. */
export const routeHints: HintRule = ({ routes, policies }) => {
  if (routes.length === 0)
    return [{ path: ['routes'], message: 'there are none: every request is answered with 404. Add one under routes.' }]
  return routes.flatMap((route, i): Hint[] =>
    Object.entries(route.policies).flatMap(([name, options]): Hint[] => {
      if (options !== false || isOn(fieldOf(policies, name))) return []
      const message = `switches off what is not on: there is no ${name} under the policies of every route. Leave it out, or add it there.`
      return [{ path: ['routes', i, 'policies', name], message }]
    }),
  )
}

function isOn(options: unknown): boolean {
  return options !== undefined && options !== false
}
