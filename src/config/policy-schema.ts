import { z } from 'zod'
import type { OwnPolicies, Policy } from '../policies/policy.ts'
import { policies, type PolicyInputs, type PolicyName, type PolicyOptions } from '../policies/index.ts'
import { typedSchema } from '../core/typed-schema.ts'
import { fieldOf } from '../core/value.ts'

/** What `policies:` holds after parsing: the options of each policy that is on, false for one that is switched off. */
export type PoliciesConfig = { [P in PolicyName]?: PolicyOptions[P] | false | undefined }

/** What may be written under `policies:`. */
export type PoliciesInput = { [P in PolicyName]?: PolicyInputs[P] | false | undefined } & {
  [P in keyof OwnPolicies]?: OwnPolicies[P] | false | undefined
}

/** What may be written under `policies:` of a route, which has the options of every route already. */
export type RoutePoliciesInput = { [P in PolicyName]?: Partial<PolicyInputs[P]> | false | undefined } & {
  [P in keyof OwnPolicies]?: Partial<OwnPolicies[P]> | false | undefined
}

/** Schema of `policies:`, made from the list of policies. */
export const policiesSchema = policiesSchemaOf(policies)

/** Schema of `policies:` for a chain in which there are policies of the user's own too. */
export function policiesSchemaOf(chain: readonly Policy[]) {
  const shape = Object.fromEntries(
    chain.map(({ name, summary, options }) => [
      name,
      z
        .union([z.literal(false), options])
        .optional()
        .describe(`${summary} false switches it off.`),
    ]),
  )
  return typedSchema<PoliciesConfig, PoliciesInput>(z.strictObject(shape))
}

/** The same for a route, to be used once the policies of every route are put beneath its own. */
export const routePoliciesSchema = typedSchema<PoliciesConfig, RoutePoliciesInput>(policiesSchema)

/** The policies that are on, with their options, in the order of the chain. */
export function activePolicies(
  config: PoliciesConfig,
  chain: readonly Policy[] = policies,
): (readonly [policy: Policy, options: unknown])[] {
  return chain.flatMap((policy) => {
    const options = fieldOf(config, policy.name)
    return options === undefined || options === false ? [] : [[policy, options] as const]
  })
}
