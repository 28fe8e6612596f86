import { z } from 'zod'
import type { Policy } from '../policies/policy.ts'
import { policies, type PolicyInputs, type PolicyName, type PolicyOptions } from '../policies/index.ts'
import { typedSchema } from '../core/typed-schema.ts'
import { fieldOf } from '../core/value.ts'

/** `policies:` after parsing: the options of each policy that is on, and false for one that is turned off. */
export type PoliciesConfig = { [P in PolicyName]?: PolicyOptions[P] | false | undefined }

/** What may be written under `policies:`. */
export type PoliciesInput = { [P in PolicyName]?: PolicyInputs[P] | false | undefined }

/** What may be written under `policies:` of a route, which inherits the options for every route. */
export type RoutePoliciesInput = { [P in PolicyName]?: Partial<PolicyInputs[P]> | false | undefined }

/** Schema of `policies:`, made from the list of policies. */
export const policiesSchema = policiesSchemaOf(policies)

/** Schema of `policies:` for a chain that includes custom policies. */
export function policiesSchemaOf(chain: readonly Policy[]) {
  const shape = Object.fromEntries(
    chain.map(({ name, summary, options }) => [
      name,
      z
        .union([z.literal(false), options])
        .optional()
        .describe(`${summary} false turns it off.`),
    ]),
  )
  return typedSchema<PoliciesConfig, PoliciesInput>(z.strictObject(shape))
}

/** Schema of `policies:` of a route, for use after the policies for every route have been merged into it. */
export const routePoliciesSchema = typedSchema<PoliciesConfig, RoutePoliciesInput>(policiesSchema)

/** The policies that are on, with their options, in chain order. */
export function activePolicies(
  config: PoliciesConfig,
  chain: readonly Policy[] = policies,
): (readonly [policy: Policy, options: unknown])[] {
  return chain.flatMap((policy) => {
    const options = fieldOf(config, policy.name)
    return options === undefined || options === false ? [] : [[policy, options] as const]
  })
}
