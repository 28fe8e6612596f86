import { hash } from 'node:crypto'
import { z } from 'zod'
import { claimNames, consumerOf, endOf } from './claims.ts'
import { CredentialError } from './credential-error.ts'
import { bearerToken, dropBearerToken } from './credentials.ts'
import { identityOf } from './identity.ts'
import { IdentityCache, type Verified } from './identity-cache.ts'
import { checkTarget, createIntrospector, opaqueTokens } from './introspector.ts'
import { defineAuthMethod } from './method.ts'
import { cacheSize } from './cache-size.ts'

/** Bearer tokens of any format, each of which is checked with the user service (RFC 7662). */
export const introspection = defineAuthMethod({
  name: 'introspection',
  kind: 'token',
  summary: 'Opaque bearer tokens, verified at an introspection endpoint (RFC 7662).',
  options: z
    .strictObject({
      ...opaqueTokens,
      claims: claimNames.prefault({}).describe('Members of the answer that describe the consumer.'),
      cacheSize,
    })
    .superRefine(checkTarget),
  document: () => [{ name: 'bearer', scheme: { type: 'http', scheme: 'bearer' } }],
  create({ claims: names, cacheSize: size, cache: lifetime, ...question }, toolbox) {
    const introspect = createIntrospector(question, toolbox)
    const { clock } = toolbox
    const cache = new IdentityCache(size, lifetime, clock)

    async function verify(token: string): Promise<Verified> {
      const claims = await introspect(token)
      const expires = endOf(claims ?? {})
      if (claims === null || expires <= clock.wall()) throw new CredentialError('inactive')
      return { identity: identityOf(consumerOf(claims, names)), expires, lifetime }
    }

    return {
      readsAuthorization: true,
      authenticate(exchange, checkFailures) {
        const token = bearerToken(exchange.headers)
        if (token === null) return null
        const digest = hash('sha256', token, 'base64url')
        const known = cache.find(digest)
        if (known !== null) return known
        checkFailures?.(exchange)
        return cache.resolve(digest, () => verify(token))
      },
      conceal({ headers }) {
        dropBearerToken(headers)
      },
    }
  },
})
