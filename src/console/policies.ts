import { blockOf, yamlOf } from './yaml.ts'

/** A policy of a route, with its origin. */
export interface EffectivePolicy {
  readonly name: string
  readonly origin: 'global' | 'route' | 'both' | 'off'
  readonly options: readonly { readonly name: string; readonly value: string; readonly own: boolean }[]
}

type Fields = Readonly<Record<string, unknown>>

/**
 * The policies of a route in GET /config, in the order of `names`, followed by those that are on for every route and off here. An option is
 * the route's own if it differs from the one for every route.
 */
export function effectivePolicies(config: Fields, id: string, names: readonly string[]): EffectivePolicy[] {
  const general = fieldsOf(config['policies'])
  const own = fieldsOf(routeOf(config, id)?.['policies'])
  const on = names.map((name): EffectivePolicy => {
    const [here, there] = [fieldsOf(own[name]), fieldsOf(general[name])]
    const isGeneral = general[name] !== undefined && general[name] !== false
    const options = Object.entries(here).map(([option, value]) => ({
      name: option,
      value: textOf(value),
      own: isGeneral && textOf(value) !== textOf(there[option]),
    }))
    const changed = options.some((option) => option.own)
    return { name, origin: !isGeneral ? 'route' : changed ? 'both' : 'global', options }
  })
  const off = Object.keys(general)
    .filter((name) => general[name] !== false && own[name] === false)
    .map((name): EffectivePolicy => ({ name, origin: 'off', options: [] }))
  return [...on, ...off]
}

/** The configuration of a route as YAML, with defaults filled in and secrets masked. */
export function fragmentOf(config: Fields, id: string): string {
  const route = routeOf(config, id)
  return route === undefined ? '' : yamlOf({ routes: [route] })
}

function routeOf(config: Fields, id: string): Fields | undefined {
  const routes: unknown = config['routes']
  if (!Array.isArray(routes)) return undefined
  return routes.map(fieldsOf).find((route) => route['id'] === id)
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {}
}

function textOf(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : blockOf(value).trimEnd()
}
