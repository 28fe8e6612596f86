import { isDeepStrictEqual } from 'node:util'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'

/** A listener as configured. */
export type ListenerConfig = GatewayConfig['listeners'][number]

/**
 * For each wanted listener, finds the existing one to continue as it, or null. Listeners are matched by configured address, never by
 * position. Among several on port 0, one with an identical configuration is chosen.
 */
export function matchListeners<Before extends { readonly config: ListenerConfig }>(
  before: readonly Before[],
  configs: readonly ListenerConfig[],
): (Before | null)[] {
  const free = new Set(before)
  const take = (fits: (config: ListenerConfig) => boolean): Before | null => {
    const found = [...free].find(({ config }) => fits(config)) ?? null
    if (found !== null) free.delete(found)
    return found
  }
  const equal = configs.map((config) => take((other) => isDeepStrictEqual(other, config)))
  return configs.map(({ address }, i) => equal[i] ?? take((other) => sameAddress(other.address, address)))
}

function sameAddress(one: Address, other: Address): boolean {
  return formatAddress(one) === formatAddress(other)
}
