import { type Fields, fieldOf } from '../core/value.ts'

/**
 * The claim of that very name, which may have dots in it (https://example.com/roles), or the one they lead to; of a list,
 * the one that its steps lead to.
 */
export function pickClaim(claims: Fields, name: string | readonly string[]): unknown {
  if (typeof name === 'string' && Object.hasOwn(claims, name)) return claims[name]
  const steps = typeof name === 'string' ? name.split('.') : name
  return steps.reduce<unknown>(fieldOf, claims)
}
