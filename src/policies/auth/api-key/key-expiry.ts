import { z } from 'zod'
import { writtenIn } from '../../../core/unit.ts'

/** Schema of the time at which an API key expires; wall-clock milliseconds after parsing. */
export const keyExpiry = writtenIn(
  'date',
  z
    .union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'expected a date such as "2027-01-31" or "2027-01-31T12:00:00Z"',
    )
    .transform((text) => Date.parse(text)),
)
