import { isDeepStrictEqual } from 'node:util'
import type { GatewayConfig } from '../config/schema.ts'
import { type Address, formatAddress } from '../core/address.ts'

/** A listener as it is configured. */
export type ListenerConfig = GatewayConfig['listeners'][number]

/**
 * For each listener that is wanted the one there was that goes on as it, null where there was none: known by the address that is
 * configured, never by its place. Of several on port 0, one that is configured in the same way goes on.
 */
export function matchListeners<Before extends { readonly config: ListenerConfig }>(
  before: readonly Before[],
  wanted: readonly ListenerConfig[],
): (Before | null)[] {
  const free = new Set(before)
  const take = (fits: (config: ListenerConfig) => boolean): Before | null => {
    const found = [...free].find(({ config }) => fits(config)) ?? null
    if (found !== null) free.delete(found)
    return found
  }
  const equal = wanted.map((config) => take((other) => isDeepStrictEqual(other, config)))
  return wanted.map(({ address }, i) => equal[i] ?? take((other) => sameAddress(other.address, address)))
}

function sameAddress(one: Address, other: Address): boolean {
  return formatAddress(one) === formatAddress(other)
}
