import { type Fields, fieldOf } from '../core/value.ts'

/**
 * The claim with exactly that name, which may contain dots (https://example.com/roles), otherwise the nested claim that the dots
 * lead to; for a list, the claim that its steps lead to.
 */
export function pickClaim(claims: Fields, name: string | readonly string[]): unknown {
  if (typeof name === 'string' && Object.hasOwn(claims, name)) return claims[name]
  const steps = typeof name === 'string' ? name.split('.') : name
  return steps.reduce<unknown>(fieldOf, claims)
}
