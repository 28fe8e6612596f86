import { hasRole, type OperatorRole } from '../../../core/operator-role.ts'
import type { Fields } from '../../../core/value.ts'
import { pickClaim } from '../../../policies/pick-claim.ts'
import type { AdminOidc } from '../../../config/admin-oidc-schema.ts'

type RoleOptions = AdminOidc['roles']

/** What the provider says that somebody is: the texts of the claim, none where there is no such claim. */
export function claimedRoles(claims: Fields, { claim }: Pick<RoleOptions, 'claim'>): string[] {
  const claimed = pickClaim(claims, claim)
  const all: unknown[] = Array.isArray(claimed) ? claimed : [claimed]
  return all.filter((each) => typeof each === 'string')
}

/** Those that the map gives a role. */
export function mappedRoles(claimed: readonly string[], { map }: Pick<RoleOptions, 'map'>): string[] {
  return claimed.filter((value) => Object.hasOwn(map, value))
}

/** The role of somebody of whom that is said: the one that may do most, null for none. */
export function roleOf(claimed: readonly string[], { map }: Pick<RoleOptions, 'map'>): OperatorRole | null {
  return mappedRoles(claimed, { map }).reduce<OperatorRole | null>((max, value) => {
    const role = map[value] ?? null
    return role === null || (max !== null && hasRole(max, role)) ? max : role
  }, null)
}
