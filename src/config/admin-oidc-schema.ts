import { z } from 'zod'
import { operatorRoles } from '../core/operator-role.ts'
import { providerShape, scopeList } from '../openid/provider-options.ts'
import { claimPath } from '../policies/claim-path.ts'

/** The largest number of claim values that a map may list. */
const MAX_VALUES = 1000
const mapExpected = `expected between 1 and ${MAX_VALUES} values of the claim, each with a role`

/** Schema of operator login through an OpenID provider. */
export const adminOidc = z.strictObject({
  ...providerShape,
  scopes: scopeList
    .default(['openid', 'profile'])
    .describe('Scopes to request from the provider. Default openid and profile.'),
  name: claimPath
    .default('preferred_username')
    .describe(
      'Claim with the name that the console and the log show; dots lead into nested claims, or use a list of steps. If it is missing, sub is used, which is logged as well. Default preferred_username.',
    )
    .meta({ examples: ['email'] }),
  roles: z
    .strictObject({
      claim: claimPath
        .default('roles')
        .describe(
          'Claim that determines the role: a text or a list; dots lead into nested claims, or use a list of steps. Default roles.',
        )
        .meta({ examples: ['groups'] }),
      map: z
        .record(z.string().min(1), z.enum(operatorRoles))
        .refine((map) => {
          const { length } = Object.keys(map)
          return length > 0 && length <= MAX_VALUES
        }, mapExpected)
        .describe(
          'Value of the claim -> role. If several apply, the one with the most rights counts; users without any cannot log in.',
        )
        .meta({ examples: [{ 'gateway-admins': 'admin', 'on-call': 'operator' }] }),
    })
    .describe('The roles of users who log in there.'),
})

/** The settings of operator login through an OpenID provider, after parsing. */
export type AdminOidc = z.output<typeof adminOidc>
