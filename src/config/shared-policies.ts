import { isDeepStrictEqual } from 'node:util'
import type { GatewayConfig } from './schema.ts'
import { type Fields, fieldOf, isFields, itemsOf } from '../core/value.ts'

/** Characters of a digest: enough to tell most policies apart. */
const DIGEST = 200
/** Policies with one digest that are compared. */
const COMPARED = 8

/** Finds what was there before that is equal: of many routes, most say the same of their policies as some other one. */
export class Equals {
  private readonly known = new Map<string, Fields[]>()

  /** The first value that was given and is equal to this one, so far as it is still known, or this one. */
  first(value: Fields): Fields {
    const digest = digestOf(value)
    const alike = this.known.get(digest) ?? []
    const equal = alike.find((each) => isDeepStrictEqual(each, value))
    if (equal !== undefined) return equal
    this.known.set(digest, [value, ...alike.slice(0, COMPARED - 1)])
    return value
  }
}

/** The same for values that are equal; documents in them may be large, so it does not read on for long. */
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
      // Sorted: maps are equal whatever the order of their keys.
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

/** The configuration in which of all routes with one and the same value for policies only the first one has it. */
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

/** Gives each route of `config`, which was parsed without them, what those are that it shares with others. */
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
