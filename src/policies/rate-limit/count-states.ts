import type { Algorithm, Quota } from './meter.ts'
import type { LimitStoreName } from './limit-stores.ts'
import type { PolicyState } from '../policy.ts'
import type { RateLimitOptions } from './options.ts'
import { SINGLE } from './own-name.ts'

/** The counts of the tiers and consumers of a route; `own` is appended to the names of its limits. */
export function countStates(options: RateLimitOptions, own: string): PolicyState[] {
  const { tiers, consumers } = options
  return [
    ...Object.entries(tiers).map(([tier, quotas]) =>
      countsOf(`tier ${tier}`, ['tiers', tier], tier + own, quotas, options),
    ),
    ...Object.entries(consumers).map(([id, quotas]) =>
      countsOf(`consumer ${JSON.stringify(id)}`, ['consumers', id], SINGLE + own, quotas, options),
    ),
  ].filter(({ identities }) => identities.length > 0)
}

function countsOf(
  who: string,
  option: readonly string[],
  limit: string,
  quotas: readonly Quota[],
  { store = 'memory', algorithm }: RateLimitOptions,
): PolicyState {
  return {
    name: who,
    identities: countIdentities(limit, algorithm, quotas, store),
    options: [option, ['algorithm'], ['store']],
    loss: `The counts of ${who} start again at 0: they are kept by store, name of the limit, algorithm and window.`,
  }
}

/** What identifies the counts of a limit. A single quota in Redis is identified without its window. */
export function countIdentities(
  name: string,
  algorithm: Algorithm,
  quotas: readonly Quota[],
  store: LimitStoreName,
): string[] {
  const windows = quotas.map(({ window }) => (store === 'redis' && quotas.length === 1 ? 'any window' : window))
  return windows.map((window) => `${store} ${name} ${algorithm} ${window}`)
}
