import { z } from 'zod'
import { durationOrZero } from '../core/units.ts'

/** Schema of how a changed configuration is applied. */
export const reloadSchema = z.strictObject({
  watch: z
    .boolean()
    .default(false)
    .describe(
      'Whether the gateway reloads by itself when its configuration changes: the file and those that it names are watched. Default false.',
    ),
  warm: durationOrZero
    .prefault('5s')
    .describe(
      'How long a reload waits for the first checks of new instances, before the configuration is applied. Default 5s.',
    ),
  stateDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Folder of this gateway in which the text of the last good configuration is kept, for a start with one that is broken. Default none.',
    ),
})
