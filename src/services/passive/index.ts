import { z } from 'zod'
import { duration, percent } from '../../core/units.ts'

const passiveOptions = z
  .strictObject({
    consecutive: z
      .int()
      .min(1)
      .default(5)
      .describe(
        'Failures in a row that eject an instance: connection refused or reset, incomplete reply, timeout, or 502, 503 or 504. Default 5.',
      ),
    rate: percent
      .prefault('50%')
      .describe('Failure rate within the window that ejects an instance; other 5xx count too. Default 50%.'),
    volume: z
      .int()
      .min(1)
      .default(20)
      .describe('Requests within the window below which the rate does not count. Default 20.'),
    window: duration.prefault('10s').describe('Length of the window for the rate. Default 10s.'),
    eject: duration
      .prefault('30s')
      .describe('Length of the first ejection; the second is twice as long, and so on. Default 30s.'),
    longest: duration.prefault('5m').describe('Longest ejection. Default 5m.'),
    most: percent
      .prefault('50%')
      .describe(
        'Most instances that may be ejected at a time, rounded down, but one of two; never the last usable one. Default 50%.',
      ),
  })
  .refine(({ eject, longest }) => eject <= longest, {
    path: ['longest'],
    message: 'shorter than eject, the first ejection: make it at least as long',
  })

/** Schema of a service's `passive` option. */
export const passiveSchema = z.union([z.literal(false), passiveOptions])

/** When an instance is ejected because of its replies; times in milliseconds, rates from 0 to 1. */
export type PassiveOptions = z.output<typeof passiveOptions>
