import { isDeepStrictEqual } from 'node:util'
import type { RateLimitOptions } from './options.ts'

/** The tier name for rates of a single consumer. */
export const SINGLE = 'consumer'

/** The suffix of limit names on a route: a route with rates of its own has its own counts. */
export function ownName(
  options: RateLimitOptions,
  { id }: { readonly id: string },
  general: RateLimitOptions | null,
): string {
  return id === '' || isGeneral(options, general) ? '' : `@${id}`
}

/** Whether the rates are the same as those of all routes. */
export function isGeneral(options: RateLimitOptions, general: RateLimitOptions | null): boolean {
  return general !== null && isDeepStrictEqual(countedBy(options), countedBy(general))
}

function countedBy({ tiers, consumers, algorithm, store }: RateLimitOptions) {
  return { tiers, consumers, algorithm, store }
}
