import type { FreshnessOptions } from './freshness.ts'
import type { StorableOptions } from './storable.ts'

/** The cache options of a route; durations in milliseconds, sizes in bytes. */
export interface CacheSettings extends FreshnessOptions, StorableOptions {
  readonly clientDirectives: boolean
  readonly targets: readonly string[]
  readonly maxBody: number
  readonly wait: number
}
