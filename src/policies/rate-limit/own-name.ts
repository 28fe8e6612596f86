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
  return id === '' || isGeneral(options, general) ? '' : `@${id}`
}

/** Whether the rates are those of every route. */
export function isGeneral(options: RateLimitOptions, general: RateLimitOptions | null): boolean {
  return general !== null && isDeepStrictEqual(countedBy(options), countedBy(general))
}

function countedBy({ tiers, consumers, algorithm, store }: RateLimitOptions) {
  return { tiers, consumers, algorithm, store }
}
