import type { Clock } from '../../core/clock.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'
import { FixedLimit } from './fixed-limit.ts'
import type { ConcurrencyOptions } from './index.ts'
import type { ConcurrencyLimit } from './limit.ts'
import type { ServiceLoad } from './service-loads.ts'

/** Creates the limit of a service, based on its load as shared by all workers; null if it has none. */
export function createLimit(options: ConcurrencyOptions, load: ServiceLoad, clock: Clock): ConcurrencyLimit | null {
  if (options === false) return null
  return typeof options === 'number' ? new FixedLimit(options, load) : new AdaptiveLimit(options, load, clock)
}
