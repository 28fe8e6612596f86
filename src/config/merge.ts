import type { Path } from './problems.ts'
import { Equals } from './shared-policies.ts'
import { fieldOf, type Fields, isFields, itemsOf } from '../core/value.ts'

/** The policies of a route that sets nothing. */
const NONE: Fields = {}

/**
 * Merges the policies for every route beneath those of each route before anything is parsed, so that defaults apply only to options that
 * neither sets. A route's options replace those of the same name; false, or a value that is not a map, replaces the whole policy. Routes
 * with the same policies share one value.
 */
export function mergePolicies(config: unknown): unknown {
  const general = fieldOf(config, 'policies')
  if (!isFields(config) || !isFields(general) || !Array.isArray(config['routes'])) return config
  const equals = new Equals()
  const merged = new Map<Fields, Fields>()
  const routes = itemsOf(config['routes']).map((route) => {
    const own = fieldOf(route, 'policies') ?? NONE
    if (!isFields(route) || !isFields(own)) return route
    const first = Object.keys(own).length === 0 ? NONE : equals.first(own)
    const policies = merged.get(first) ?? (first === NONE ? general : mergeOptions(general, first))
    merged.set(first, policies)
    return Object.assign({}, route, { policies })
  })
  return { ...config, routes }
}

/** Maps a path in the merged configuration to its place in the configuration as written. */
export function originOf(config: unknown, path: Path): Path {
  const [routes, index, policies, name, option] = path
  if (routes !== 'routes' || typeof index !== 'number' || policies !== 'policies' || name === undefined) return path
  const general = fieldOf(fieldOf(config, 'policies'), String(name))
  const own = fieldOf(fieldOf(itemsOf(fieldOf(config, 'routes'))[index], 'policies'), String(name))
  const inherited = own === undefined || (option !== undefined && comesFrom(general, own, String(option)))
  return inherited ? path.slice(2) : path
}

function mergeOptions(general: Fields, own: Fields): Fields {
  const merged = Object.entries(own).map(([name, options]): readonly [string, unknown] => {
    const inherited = fieldOf(general, name)
    return [name, isFields(options) && isFields(inherited) ? { ...inherited, ...options } : options]
  })
  return { ...general, ...Object.fromEntries(merged) }
}

function comesFrom(general: unknown, own: unknown, option: string): boolean {
  return fieldOf(own, option) === undefined && fieldOf(general, option) !== undefined
}
