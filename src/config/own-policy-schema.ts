import { z } from 'zod'
import type { Policy } from '../policies/policy.ts'

const expected = 'expected the path of a file such as "./policies/tenant.ts", or in TypeScript a policy'
const file = z.string(expected).min(1, expected)

/** A custom policy by the file that it is loaded from, with its place in the chain unless it is the innermost policy. */
export interface OwnPolicy {
  readonly file: string
  /** Name of the policy if it is not the default export of the file. */
  readonly name?: string | undefined
  readonly before?: string | undefined
  readonly after?: string | undefined
}

/** A policy with its place in the chain, in a configuration in TypeScript. */
export interface PlacedPolicy<Placed extends Policy = Policy> {
  readonly policy: Placed
  /** Name of the policy that this one wraps directly. */
  readonly before?: string | undefined
  /** Name of the policy that directly wraps this one. */
  readonly after?: string | undefined
}

/** Schema of one entry of `ownPolicies:`, once policies that are given as objects have been replaced by their files. */
export const ownPolicySchema = z.union([
  file.transform((path): OwnPolicy => ({ file: path })),
  z
    .strictObject({
      file: file
        .describe('Path of the file, relative to the configuration file.')
        .meta({ examples: ['./policies/tenant.ts'] }),
      name: z
        .string()
        .optional()
        .describe('Name of the policy, if it is not the default export of the file but another one.')
        .meta({ examples: ['audit'] }),
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
