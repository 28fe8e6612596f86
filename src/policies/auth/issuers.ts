import { decodeJwt } from 'jose'
import type { PolicyToolbox } from '../policy.ts'
import { CredentialError } from './credential-error.ts'
import { createIssuer, type Issuer } from './issuer.ts'
import { issuersOf, type JwtOptions } from './jwt-options.ts'

/**
 * Verifies the tokens of all issuers of a configuration. If there are several, the unverified `iss` of a token, which anyone can
 * forge, only selects the issuer that verifies it: that issuer has its own keys, algorithms and rules, and refuses tokens that do
 * not name it. Each issuer has its own share of the cache, which others can neither fill nor empty.
 */
export function createIssuers(options: JwtOptions, toolbox: PolicyToolbox): Issuer {
  const all = issuersOf(options)
  const size = Math.ceil(options.cacheSize / all.length)
  const made = all.map((each) => createIssuer(each, size, toolbox))
  const [only] = made
  if (options.issuers === undefined && only !== undefined) return only
  const byName = new Map(all.map(({ issuer }, i) => [issuer, made[i]]))
  return {
    find(digest) {
      for (const issuer of made) {
        const known = issuer.find(digest)
        if (known !== null) return known
      }
      return null
    },
    async resolve(digest, token) {
      const issuer = byName.get(statedIssuer(token))
      if (issuer === undefined) throw new CredentialError('issuer')
      return issuer.resolve(digest, token)
    },
  }
}

/** The `iss` of an unverified token; '' if it has none. Throws CredentialError. */
function statedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch (error) {
    throw new CredentialError('malformed', error)
  }
}
