import { fieldOf, isFields, itemsOf } from '../core/value.ts'
import type { GatewayConfig } from './schema.ts'

/**
 * The files with networks that a configuration names, with what they held when it was read: those of trusted proxies, and those in
 * lists that are options of policies, by what the schema has made of them (core/networks-schema.ts). It knows no policy, which would be loaded.
 */
export function heldNetworks({
  trustedProxies,
  policies,
  routes,
}: Pick<GatewayConfig, 'trustedProxies' | 'policies' | 'routes'>): ReadonlyMap<string, readonly string[]> {
  // Most routes have the policies of some other one.
  const active = new Set<object>([policies, ...routes.map((route) => route.policies)])
  const options = [...active].flatMap(valuesOf).filter(isFields)
  const lists = [trustedProxies, ...options.flatMap(valuesOf)].map(itemsOf)
  return new Map(lists.flatMap((list) => list.flatMap(fileOf)))
}

function fileOf(entry: unknown): (readonly [string, readonly string[]])[] {
  const file = fieldOf(entry, 'file')
  const networks = fieldOf(entry, 'networks')
  if (typeof file !== 'string' || !Array.isArray(networks)) return []
  return [[file, networks.filter((each) => typeof each === 'string')]]
}

function valuesOf(value: object): unknown[] {
  return Object.values(value)
}
