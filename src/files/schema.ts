import { z } from 'zod'

const pathExpected = 'expected a path below the folder such as "/index.html"'
const patternExpected = 'expected a path such as "/assets/*" or "/app.js"'

/** A normalized path of names that do not begin with a dot. */
const localPath = z.string(pathExpected).regex(/^(?:\/[^/*?%\\.][^/*?%\\]*)+$/, pathExpected)

const codings = ['br', 'zstd', 'gzip'] as const

/** An encoding of which a variant may lie next to the original file. */
export type FileCoding = (typeof codings)[number]

const filesOptions = z.strictObject({
  root: z
    .string()
    .min(1)
    .describe(
      'The folder, relative to the configuration file. The path of the request, after rewrite, is looked up below it.',
    )
    .meta({ examples: ['./public'] }),
  index: z
    .union([z.literal(false), z.string().regex(/^[^/.][^/]*$/, 'expected the name of a file such as "index.html"')])
    .default('index.html')
    .describe('File to send for a folder; false for none. Default index.html.'),
  fallback: localPath
    .optional()
    .describe(
      'File to send if there is none at the path, for single-page applications: for paths whose last segment has no dot. Default none: 404.',
    )
    .meta({ examples: ['/index.html'] }),
  immutable: z
    .string(patternExpected)
    .regex(/^\/[^*]*\*?$/, patternExpected)
    .array()
    .default([])
    .describe(
      'Files whose names change with their content, by path after rewrite: "/assets/*" for all below, or one path. Clients cache them for a year without revalidation. Default none: clients revalidate each time.',
    )
    .meta({ examples: [['/assets/*']] }),
  precompressed: z
    .enum(codings)
    .array()
    .default([])
    .describe(
      'Encodings of precompressed files next to the originals: app.js.br, app.js.zst, app.js.gz, in order of preference where the client has none. Default none.',
    ),
})

/** Schema of a folder of files that a route serves. */
export const filesSchema = z.union([
  z
    .string()
    .min(1)
    .transform((root) => filesOptions.parse({ root })),
  filesOptions,
])

/** A folder of files and how it is served. */
export type FilesOptions = z.output<typeof filesOptions>
