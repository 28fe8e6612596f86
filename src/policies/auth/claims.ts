import { z } from 'zod'
import type { Fields } from '../../core/value.ts'
import type { Consumer } from '../../http/exchange.ts'
import { claimPath } from '../claim-path.ts'
import { pickClaim } from '../pick-claim.ts'
import { CredentialError } from './credential-error.ts'

/** What a token, or the user service, states about a user. */
export type Claims = Fields

const claim = (name: string, what: string) =>
  claimPath
    .default(name)
    .describe(
      `Claim with ${what}; dots lead into nested claims. A list of steps is for names with dots. Default ${name}.`,
    )

/** Schema of the names of the claims that describe a consumer. */
export const claimNames = z.strictObject({
  id: claim('sub', 'the ID'),
  roles: claim('roles', 'the roles: a list, or a string separated by commas'),
  scopes: claim('scope', 'the scopes: a list, or a string separated by spaces'),
  tier: claim('tier', 'the tier'),
})

/** The tier of a token that does not name one. */
const TIER = 'authenticated'

/** The consumer that a token stands for. Throws CredentialError 'subject' if the token does not name one. */
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

/** The claim exp in wall-clock milliseconds; Infinity if there is none. Throws CredentialError 'claims' for values such as 1e999. */
export function endOf({ exp }: Claims): number {
  if (typeof exp !== 'number') return Infinity
  if (!Number.isFinite(exp)) throw new CredentialError('claims')
  return exp * 1000
}

function idOf(value: unknown): string {
  const id = Number.isSafeInteger(value) ? String(value) : value
  // A lone surrogate cannot be encoded in UTF-8: two different ids could become the same on the way to the service.
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
