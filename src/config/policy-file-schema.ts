import { z } from 'zod'

const expected = 'expected the path of a file such as "./policies/tenant.ts"'
const file = z.string(expected).min(1, expected)

/** A policy file, with its place in the chain unless it is the innermost policy. */
export interface PolicyFile {
  readonly file: string
  readonly before?: string | undefined
  readonly after?: string | undefined
}

/** Schema of one entry of `policyFiles:`. */
export const policyFileSchema = z.union([
  file.transform((path): PolicyFile => ({ file: path })),
  z
    .strictObject({
      file: file
        .describe('Path of the file, relative to the configuration file.')
        .meta({ examples: ['./policies/tenant.ts'] }),
      before: z
        .string()
        .optional()
        .describe('Name of the policy that this one wraps directly.')
        .meta({ examples: ['auth'] }),
      after: z
        .string()
        .optional()
        .describe('Name of the policy that directly wraps this one.')
        .meta({ examples: ['rate-limit'] }),
    })
    .refine(
      ({ before, after }) => before === undefined || after === undefined,
      'has both before and after; expected only one',
    ),
])
