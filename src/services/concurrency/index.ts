import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'
import { FixedLimit } from './fixed-limit.ts'
import type { ConcurrencyLimit } from './limit.ts'
import type { ServiceLoad } from './service-loads.ts'

const adaptiveSchema = z
  .strictObject({
    mode: z
      .literal('adaptive')
      .default('adaptive')
      .describe('adaptive: the limit follows from how long requests take. Default adaptive.'),
    floor: z.int().min(1).default(100).describe('It never is less, and what it begins with. Default 100.'),
    tolerance: z
      .number()
      .min(1.1)
      .max(10)
      .default(2)
      .describe('It falls while half of the requests take more than so many times as long as usual. Default 2.'),
    most: z.int().min(1).default(2000).describe('It never is more. Default 2000.'),
  })
  .refine(({ floor, most }) => floor <= most, { path: ['floor'], message: 'expected at most what most says' })

/** Schema of what `concurrency` of a service may say. */
export const concurrencySchema = z.union([z.literal(false), z.int().min(1), adaptiveSchema])

export type ConcurrencyOptions = z.output<typeof concurrencySchema>

/** The limit of a service, on what all workers share of it; null for none. */
export function createLimit(options: ConcurrencyOptions, load: ServiceLoad, clock: Clock): ConcurrencyLimit | null {
  if (options === false) return null
  return typeof options === 'number' ? new FixedLimit(options, load) : new AdaptiveLimit(options, load, clock)
}
