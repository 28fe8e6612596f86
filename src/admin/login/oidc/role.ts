import { hasRole, type OperatorRole } from '../../../core/operator-role.ts'
import type { Fields } from '../../../core/value.ts'
import { pickClaim } from '../../../policies/pick-claim.ts'
import type { AdminOidc } from '../../../config/admin-oidc-schema.ts'

type RoleOptions = AdminOidc['roles']

/** The values of the claim that determines the role; none if the claim is missing. */
export function claimedRoles(claims: Fields, { claim }: Pick<RoleOptions, 'claim'>): string[] {
  const claimed = pickClaim(claims, claim)
  const all: unknown[] = Array.isArray(claimed) ? claimed : [claimed]
  return all.filter((each) => typeof each === 'string')
}

/** The values that the map has a role for. */
export function mappedRoles(claimed: readonly string[], { map }: Pick<RoleOptions, 'map'>): string[] {
  return claimed.filter((value) => Object.hasOwn(map, value))
}

/** The most powerful role that the values map to; null for none. */
export function roleOf(claimed: readonly string[], { map }: Pick<RoleOptions, 'map'>): OperatorRole | null {
  return mappedRoles(claimed, { map }).reduce<OperatorRole | null>((max, value) => {
    const role = map[value] ?? null
    return role === null || (max !== null && hasRole(max, role)) ? max : role
  }, null)
}
