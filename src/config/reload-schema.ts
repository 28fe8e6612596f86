import { z } from 'zod'
import { durationOrZero } from '../core/units.ts'

/** Schema of how a changed configuration is applied. */
export const reloadSchema = z.strictObject({
  watch: z
    .boolean()
    .default(false)
    .describe('Watch the configuration file and the files that it names, and reload when they change. Default false.'),
  warm: durationOrZero
    .prefault('5s')
    .describe(
      'Longest wait for the first health checks of new instances before a new configuration is applied. Default 5s.',
    ),
  stateDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Folder, private to this gateway, for a copy of the last good configuration, to start from if the current one is broken. Default none.',
    )
    .meta({ examples: ['/var/lib/sallyport'] }),
})
