import type { FreshnessOptions } from './freshness.ts'
import type { StorableOptions } from './storable.ts'

/** The options of a route that its cache goes by; durations in milliseconds, sizes in octets. */
export interface CacheSettings extends FreshnessOptions, StorableOptions {
  readonly clientDirectives: boolean
  readonly targets: readonly string[]
  readonly maxBody: number
  readonly wait: number
}
