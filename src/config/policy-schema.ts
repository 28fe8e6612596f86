import { z } from 'zod'
import type { Policy } from '../core/component.ts'
import { policies, type PolicyInputs, type PolicyName, type PolicyOptions } from '../policies/index.ts'

/** What `policies:` holds after parsing: the options of each policy that is on, false for one that is switched off. */
export type PoliciesConfig = { [P in PolicyName]?: PolicyOptions[P] | false | undefined }

/** What may be written under `policies:`. */
export type PoliciesInput = { [P in PolicyName]?: PolicyInputs[P] | false | undefined }

/** What may be written under `policies:` of a route, which has the options of every route already. */
export type RoutePoliciesInput = { [P in PolicyName]?: Partial<PolicyInputs[P]> | false | undefined }

/** Schema of `policies:`, made from the list of policies. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a shape built from a list forgets whose options are whose
export const policiesSchema = z.strictObject(
  Object.fromEntries(
    policies.map(({ name, summary, options }) => [
      name,
      z
        .union([z.literal(false), options])
        .optional()
        .describe(`${summary} false switches it off.`),
    ]),
  ),
) as unknown as z.ZodType<PoliciesConfig, PoliciesInput>

/** The same for a route, to be used once the policies of every route are put beneath its own. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what may be written differs, which parsing does not see
export const routePoliciesSchema = policiesSchema as unknown as z.ZodType<PoliciesConfig, RoutePoliciesInput>

/** The policies that are on, with their options, in the order of the chain. */
export function activePolicies(config: PoliciesConfig): (readonly [policy: Policy, options: unknown])[] {
  return policies.flatMap((policy) => {
    const options = config[policy.name]
    return options === undefined || options === false ? [] : [[policy, options] as const]
  })
}
