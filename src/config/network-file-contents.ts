import { fieldOf, isFields, itemsOf } from '../core/value.ts'
import type { GatewayConfig } from './schema.ts'

/**
 * The network files that a configuration names, with the contents at the time they were read: those of trusted proxies, and those in lists
 * among the options of policies, which are recognized by the output of their schema (core/networks-schema.ts). This module refers to no
 * policy, so that none is loaded.
 */
export function networkFileContents({
  trustedProxies,
  policies,
  routes,
}: Pick<GatewayConfig, 'trustedProxies' | 'policies' | 'routes'>): ReadonlyMap<string, readonly string[]> {
  // Most routes share their policies with another route.
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
