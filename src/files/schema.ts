import { z } from 'zod'

const pathExpected = 'expected a path below the folder such as "/index.html"'
const patternExpected = 'expected a path such as "/assets/*" or "/app.js"'

/** A path in its plain form, of names without a dot at the beginning. */
const localPath = z.string(pathExpected).regex(/^(?:\/[^/*?%\\.][^/*?%\\]*)+$/, pathExpected)

const codings = ['br', 'zstd', 'gzip'] as const

/** A coding in which a file may lie beside the one without. */
export type FileCoding = (typeof codings)[number]

const filesOptions = z.strictObject({
  root: z
    .string()
    .min(1)
    .describe(
      'The folder. A path of the request, after rewrite, is that of a file below it. Relative to the configuration.',
    ),
  index: z
    .union([z.literal(false), z.string().regex(/^[^/.][^/]*$/, 'expected the name of a file such as "index.html"')])
    .default('index.html')
    .describe('The file that is sent for a folder; false for none. Default index.html.'),
  fallback: localPath
    .optional()
    .describe(
      'The file that is sent where there is none, as for the paths of a single-page application: of paths whose last name has no dot. Default none: 404.',
    ),
  immutable: z
    .string(patternExpected)
    .regex(/^\/[^*]*\*?$/, patternExpected)
    .array()
    .default([])
    .describe(
      'Files whose names change with what they hold, by their paths after rewrite: "/assets/*" for all below, or one path. Clients keep them for a year and do not ask again. Default none: clients ask each time.',
    ),
  precompressed: z
    .enum(codings)
    .array()
    .default([])
    .describe(
      'Codings in which files may lie beside those without: app.js.br, app.js.zst, app.js.gz. Of those that a client likes equally, the first is sent. Default none.',
    ),
})

/** Schema of a folder of files that a route leads to. */
export const filesSchema = z.union([
  z
    .string()
    .min(1)
    .transform((root) => filesOptions.parse({ root })),
  filesOptions,
])

/** A folder of files and how it is shown. */
export type FilesOptions = z.output<typeof filesOptions>
