import { z } from 'zod'
import { duration } from '../core/units.ts'

const boundsSchema = z.strictObject({
  delay: duration.prefault('100ms').describe('Event-loop delay that counts as overload. Default 100ms.'),
  for: duration
    .prefault('1s')
    .describe('How long the delay must last, without a break, before requests are shed. Default 1s.'),
})

/** Schema of the gateway's own overload protection. */
export const overloadSchema = z.union([z.literal(false), boundsSchema])
