import { z } from 'zod'
import { durationOrZero } from '../core/units.ts'

/** Schema of how a changed configuration is taken over. */
export const reloadSchema = z.strictObject({
  warm: durationOrZero
    .prefault('5s')
    .describe(
      'How long a changed configuration waits for the first checks of services that are new, before it is taken over. Default 5s.',
    ),
})
