import { at } from '../../core/value.ts'
import { matching, optionPaths } from '../option-paths.ts'
import type { Hint, HintRule } from './hint.ts'

/** Services that no route or policy uses. */
export const serviceHints: HintRule = (config, chain) => {
  const { services, routes, zone } = config
  const called = optionPaths(chain, ({ services: places = [] }) => places)
    .flatMap((place) => matching(config, place))
    .map((path) => path.reduce<unknown>(at, config))
  const used = new Set<unknown>(called)
  for (const { service, split } of routes) {
    used.add(service)
    for (const name of Object.keys(split?.services ?? {})) used.add(name)
  }
  const unused = Object.keys(services)
    .filter((name) => !used.has(name))
    .map((name): Hint => ({
      path: ['services', name],
      message: 'is not used: no route leads to it, and no policy calls it. Add a route, or remove it.',
    }))
  const known = Object.values(services)
  if (zone === undefined || known.some(({ discover, instances }) => discover !== undefined || instances.some(hasZone)))
    return unused
  const message = 'has no effect: no instance has a zone. Give instances a zone, or remove it.'
  return [...unused, { path: ['zone'], message }]
}

function hasZone({ zone }: { readonly zone?: string | undefined }): boolean {
  return zone !== undefined
}
