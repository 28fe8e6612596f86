import { isDeepStrictEqual } from 'node:util'
import type { GatewayConfig } from './schema.ts'
import { type Fields, fieldOf, isFields, itemsOf } from '../core/value.ts'

/** Length of a digest in characters: enough to tell most policies apart. */
const DIGEST = 200
/** The maximum number of policies with the same digest that are compared. */
const COMPARED = 8

/** Finds an equal earlier value: most routes have the same policies as another one. */
export class Equals {
  private readonly known = new Map<string, Fields[]>()

  /** The first given value that is equal to this one, if it is still known, otherwise this one. */
  first(value: Fields): Fields {
    const digest = digestOf(value)
    const alike = this.known.get(digest) ?? []
    const equal = alike.find((each) => isDeepStrictEqual(each, value))
    if (equal !== undefined) return equal
    this.known.set(digest, [value, ...alike.slice(0, COMPARED - 1)])
    return value
  }
}

/** Equal values have the same digest. Documents in values may be large, so only the beginning is read. */
function digestOf(value: unknown): string {
  let digest = ''
  const add = (each: unknown): void => {
    if (digest.length >= DIGEST) return
    if (Array.isArray(each)) {
      digest += '['
      for (const item of itemsOf(each)) add(item)
      digest += ']'
    } else if (isFields(each)) {
      digest += '{'
      // Sorted, because maps are equal whatever the order of their keys.
      for (const key of Object.keys(each).toSorted()) {
        if (digest.length >= DIGEST) return
        digest += `${key}:`
        add(each[key])
      }
      digest += '}'
    } else digest += `${typeof each === 'string' ? each.slice(0, DIGEST) : typeof each} `
  }
  add(value)
  return digest.slice(0, DIGEST)
}

/** The configuration in which, of all routes that share one policies value, only the first one has it. */
export function withPoliciesOnce(merged: unknown): unknown {
  if (!isFields(merged) || !Array.isArray(merged['routes'])) return merged
  const seen = new Set([merged['policies']])
  const routes = itemsOf(merged['routes']).map((route) => {
    const policies = fieldOf(route, 'policies')
    if (!isFields(route) || !isFields(policies)) return route
    if (seen.has(policies)) return Object.assign({}, route, { policies: {} })
    seen.add(policies)
    return route
  })
  return { ...merged, routes }
}

/** Gives each route of `config`, which was parsed without shared policies, those it shares with another route. */
export function sharePolicies(config: GatewayConfig, merged: unknown): void {
  const parsed = new Map([[fieldOf(merged, 'policies'), config.policies]])
  const written = itemsOf(fieldOf(merged, 'routes'))
  for (const [i, route] of config.routes.entries()) {
    const policies = fieldOf(written[i], 'policies')
    if (!isFields(policies)) continue
    route.policies = parsed.get(policies) ?? route.policies
    parsed.set(policies, route.policies)
  }
}
