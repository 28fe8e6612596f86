import { z } from 'zod'
import { typedSchema } from '../../core/typed-schema.ts'
import { writtenIn } from '../../core/unit.ts'
import type { Quota } from './meter.ts'

const RATE = /^(\d{1,9})\/(\d{1,4})?([smhd])$/
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
/** In seconds. */
const MAX_WINDOW = 31 * 86_400

const rateExpected = 'expected a rate such as "10/s", "100/m", "1000/h" or "500/10m", over at most 31 days'

/** A number of requests per period of time, such as "10/s", "100/m", "1000/h" or "500/10m". */
export type Rate = `${number}/${number | ''}${'s' | 'm' | 'h' | 'd'}`

/** Parses a text such as "100/m", "1000/h" or "500/10m"; undefined for any other text. */
export function parseRate(text: string): Quota | undefined {
  const [, limit, number = '1', unit = ''] = RATE.exec(text) ?? []
  const seconds = Number(number) * (SECONDS[unit] ?? 0)
  if (Number(limit) >= 1 && seconds >= 1 && seconds <= MAX_WINDOW)
    return { limit: Number(limit), window: seconds * 1000 }
  return undefined
}

const rate = typedSchema<Quota, Rate>(
  z
    .string(rateExpected)
    .regex(RATE, rateExpected)
    .transform((text, context): Quota => {
      const quota = parseRate(text)
      if (quota !== undefined) return quota
      context.addIssue({ code: 'custom', message: rateExpected })
      return z.NEVER
    }),
)

/** Schema of one or more rates that all apply at once, or false for none; a list of quotas after parsing. */
export const rates = z
  .union([
    writtenIn(
      'rates',
      z.literal(false).transform((): Quota[] => []),
    ),
    rate.transform((quota) => [quota]),
    rate.array().min(1).superRefine(refuseSameWindows),
  ])
  .meta({ examples: ['1000/h', '500/10m', ['10/s', '1000/h'], false] })

function refuseSameWindows(quotas: readonly Quota[], context: z.RefinementCtx): void {
  for (const [i, { window }] of quotas.entries()) {
    const first = quotas.findIndex((quota) => quota.window === window)
    if (first === i) continue
    context.addIssue({
      code: 'custom',
      path: [i],
      message: `has the same window as [${first}]: remove one of them`,
    })
  }
}
