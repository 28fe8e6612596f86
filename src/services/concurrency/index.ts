import { z } from 'zod'

/** Maximum number of services in a configuration: each has its own place in the memory that workers share. */
export const MAX_SERVICES = 16_384

const adaptiveSchema = z
  .strictObject({
    mode: z
      .literal('adaptive')
      .default('adaptive')
      .describe('adaptive: the limit is derived from measured latency. Default adaptive.'),
    floor: z.int().min(1).default(100).describe('Lowest limit. Default 100.'),
    tolerance: z
      .number()
      .min(1.1)
      .max(10)
      .default(2)
      .describe('The limit falls while median latency is more than this many times the usual. Default 2.'),
    most: z.int().min(1).default(2000).describe('Highest limit, used while nothing is slow. Default 2000.'),
  })
  .refine(({ floor, most }) => floor <= most, { path: ['floor'], message: 'larger than most: lower it, or raise most' })

/** Schema of a service's `concurrency` option. */
export const concurrencySchema = z.union([z.literal(false), z.int().min(1), adaptiveSchema])

export type ConcurrencyOptions = z.output<typeof concurrencySchema>
