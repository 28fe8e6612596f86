import { z } from 'zod'
import { duration, percent } from '../../core/units.ts'

const passiveOptions = z
  .strictObject({
    consecutive: z
      .int()
      .min(1)
      .default(5)
      .describe(
        'Failures in a row that eject an instance: no connection, none or not all of a reply, too late, or 502, 503 or 504. Default 5.',
      ),
    rate: percent
      .prefault('50%')
      .describe(
        'Part of its requests within the window that fail, other 5xx included, and eject it as well. Default 50%.',
      ),
    volume: z
      .int()
      .min(1)
      .default(20)
      .describe('Requests within the window from which on the rate counts. Default 20.'),
    window: duration.prefault('10s').describe('How long a request counts for the rate. Default 10s.'),
    eject: duration
      .prefault('30s')
      .describe(
        'How long an instance is ejected for the first time; the second time is twice as long, and so on. Default 30s.',
      ),
    longest: duration.prefault('5m').describe('How long it is ejected at most. Default 5m.'),
    most: percent
      .prefault('50%')
      .describe(
        'Part of the instances that may be ejected at the same time, rounded down, but one where there are two; never the last one that can be used. Default 50%.',
      ),
  })
  .refine(({ eject, longest }) => eject <= longest, {
    path: ['longest'],
    message: 'shorter than eject, which is for the first time: give at least as much',
  })

/** Schema of what `passive` of a service may say. */
export const passiveSchema = z.union([z.literal(false), passiveOptions])

/** When an instance is ejected by how it replies; times in milliseconds, parts from 0 to 1. */
export type PassiveOptions = z.output<typeof passiveOptions>
