import { isDeepStrictEqual } from 'node:util'
import type { RateLimitOptions } from './options.ts'

/** Names the rates of a single consumer, as a tier names those of many. */
export const SINGLE = 'consumer'

/** What is added to the names of limits on a route: one whose rates are not those of every route counts by itself. */
export function ownName(
  options: RateLimitOptions,
  { id }: { readonly id: string },
  general: RateLimitOptions | null,
): string {
  const shared = general !== null && isDeepStrictEqual(countedBy(options), countedBy(general))
  return shared || id === '' ? '' : `@${id}`
}

function countedBy({ tiers, consumers, algorithm, store }: RateLimitOptions) {
  return { tiers, consumers, algorithm, store }
}
