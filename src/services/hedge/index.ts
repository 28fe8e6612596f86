import { z } from 'zod'
import { duration, percent } from '../../core/units.ts'

const PERCENTILE = /^p[5-9]\d$/
const afterExpected = 'expected a duration such as "50ms", or a percentile from "p50" to "p99"'

/** Minimum number of hedged requests per second that is always allowed. */
const MIN = 1

const hedgeOptions = z.strictObject({
  after: z
    .union([duration, z.string(afterExpected).regex(PERCENTILE, afterExpected)], afterExpected)
    .prefault('p95')
    .describe(
      'When to send the second request: after a duration, or a recent latency percentile from p50 to p99. Default p95.',
    ),
  budget: percent
    .prefault('5%')
    .describe(
      'Hedged requests allowed as a share of all requests within 10 s, over all workers; one per second is always allowed. Default 5%.',
    ),
})

/** Schema of a service's `hedge` option. */
export const hedgeSchema = z.union([z.literal(false), hedgeOptions])

/** When to hedge: a delay in milliseconds or a percentile such as "p95", and a budget as a fraction from 0 to 1. */
export type HedgeOptions = z.output<typeof hedgeOptions>

/** The fraction expressed by a percentile: 0.95 for "p95". */
export function partOf(percentile: string): number {
  return Number(percentile.slice(1)) / 100
}

/** The limits in the form that the budget expects. */
export function hedgeBudget({ budget }: HedgeOptions): { budget: number; minimum: number } {
  return { budget, minimum: MIN }
}
