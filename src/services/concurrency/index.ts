import { z } from 'zod'

/** Services that a configuration may have: each has a place of its own in the memory that workers share. */
export const MOST_SERVICES = 16_384

const adaptiveSchema = z
  .strictObject({
    mode: z
      .literal('adaptive')
      .default('adaptive')
      .describe('adaptive: the limit follows from how long requests take. Default adaptive.'),
    floor: z.int().min(1).default(100).describe('It never is less. Default 100.'),
    tolerance: z
      .number()
      .min(1.1)
      .max(10)
      .default(2)
      .describe('It falls while half of the requests take more than so many times as long as usual. Default 2.'),
    most: z.int().min(1).default(2000).describe('It never is more, and so much while nothing is slow. Default 2000.'),
  })
  .refine(({ floor, most }) => floor <= most, { path: ['floor'], message: 'larger than most: give at most as much' })

/** Schema of what `concurrency` of a service may say. */
export const concurrencySchema = z.union([z.literal(false), z.int().min(1), adaptiveSchema])

export type ConcurrencyOptions = z.output<typeof concurrencySchema>
