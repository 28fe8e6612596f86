import { z } from 'zod'
import type { Fields } from '../../core/value.ts'
import type { Consumer } from '../../http/exchange.ts'
import { claimPath } from '../claim-path.ts'
import { pickClaim } from '../pick-claim.ts'
import { CredentialError } from './credential-error.ts'

/** What a token says, or the user service of it. */
export type Claims = Fields

const claim = (name: string, what: string) =>
  claimPath
    .default(name)
    .describe(
      `Claim with ${what}; dots lead into nested claims, or a list of steps, whose names may contain dots. ` +
        `Default ${name}.`,
    )

/** Schema of the names of claims that make a consumer. */
export const claimNames = z.strictObject({
  id: claim('sub', 'the id'),
  roles: claim('roles', 'the roles: a list, or a string with commas'),
  scopes: claim('scope', 'the scopes: a list, or a string with spaces'),
  tier: claim('tier', 'the tier'),
})

/** The tier of a token that names none. */
const TIER = 'authenticated'

/** The consumer that a token stands for. Throws CredentialError 'subject' where it names nobody. */
export function consumerOf(claims: Claims, names: z.output<typeof claimNames>): Consumer {
  const tier = pickClaim(claims, names.tier)
  return {
    id: idOf(pickClaim(claims, names.id)),
    roles: listOf(pickClaim(claims, names.roles), ','),
    scopes: listOf(pickClaim(claims, names.scopes), ' '),
    tier: typeof tier === 'string' && tier !== '' ? tier : TIER,
    key: null,
    claims,
  }
}

/** Wall-clock milliseconds of the claim exp; Infinity where there is none. Throws CredentialError 'claims' for 1e999. */
export function endOf({ exp }: Claims): number {
  if (typeof exp !== 'number') return Infinity
  if (!Number.isFinite(exp)) throw new CredentialError('claims')
  return exp * 1000
}

function idOf(value: unknown): string {
  const id = Number.isSafeInteger(value) ? String(value) : value
  // A lone surrogate has no bytes of its own: two ids could become one on the way to the service.
  if (typeof id !== 'string' || id === '' || !id.isWellFormed()) throw new CredentialError('subject')
  return id
}

function listOf(value: unknown, separator: string): string[] {
  const items: unknown[] = typeof value === 'string' ? value.split(separator) : Array.isArray(value) ? value : []
  return items.flatMap((item) => {
    if (typeof item !== 'string' || !item.isWellFormed() || item.trim() === '') return []
    return [item.trim()]
  })
}
