import { hash } from 'node:crypto'
import type { PolicyToolbox } from '../../core/component.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../core/exchange.ts'
import { compileOrigins } from '../origins.ts'
import { type Claims, consumerOf, endOf } from './claims.ts'
import { CredentialError } from './credential-error.ts'
import {
  bearerToken,
  cookieValue,
  dropBearerToken,
  dropCookie,
  queryParameter,
  withoutParameter,
} from './credentials.ts'
import { sameName } from '../../core/headers.ts'
import { isForeign } from './foreign.ts'
import { identityOf } from './identity.ts'
import { IdentityCache, type Verified } from './identity-cache.ts'
import { createIntrospector } from './introspector.ts'
import { allowedAlgorithms, isSecretAlgorithm, type JwtOptions, jwtOptions } from './jwt-options.ts'
import { configuredKeys, type KeySource } from './keys.ts'
import { defineAuthMethod } from './method.ts'
import { RemoteKeys } from './remote-keys.ts'
import { isSigned, verifyToken } from './verify-token.ts'

/** How long a token is taken on its signature before the user service, which gives no answer, is asked again; ms. */
const UNCHECKED = 5000

/** Signed JSON Web Tokens (RFC 7519), in `Authorization: Bearer` or a cookie. */
export const jwt = defineAuthMethod({
  name: 'jwt',
  kind: 'token',
  summary: 'Signed JSON Web Tokens in Authorization: Bearer, or in a cookie.',
  options: jwtOptions,
  document({ header, cookie, query }) {
    const inHeader =
      header !== false && sameName(header, 'Authorization')
        ? { name: 'bearer', scheme: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } }
        : { name: 'tokenInHeader', scheme: { type: 'apiKey', in: 'header', name: header || '' } }
    return [
      ...(header === false ? [] : [inHeader]),
      ...(cookie === undefined ? [] : [{ name: 'cookie', scheme: { type: 'apiKey', in: 'cookie', name: cookie } }]),
      ...(query === undefined ? [] : [{ name: 'tokenInQuery', scheme: { type: 'apiKey', in: 'query', name: query } }]),
    ]
  },
  fields: ({ header }) => (header === false ? [] : [header]),
  create(options, toolbox) {
    const { claims: names, header, query, cookie, issuer, audience, type, tolerance } = options
    const { clock } = toolbox
    const cache = new IdentityCache(options.cacheSize, options.introspection?.cache ?? 0, clock)
    const keys = keySource(options, toolbox, () => cache.clear())
    const rules = { algorithms: allowedAlgorithms(options), issuer, audience, type, tolerance }
    const check = createCheck(options.introspection, toolbox)
    const trusts = compileOrigins(options.trustedOrigins)

    /** Pages of other sites cannot use it for more than reading, as browsers send it without being asked. */
    function cookieToken(exchange: Exchange, name: string): string | null {
      const value = cookieValue(exchange.headers, name)
      return value === null || isForeign(exchange, trusts) ? null : value
    }

    async function verify(token: string): Promise<Verified> {
      const claims = await verifyToken(token, keys, rules, clock.wall())
      const { said, lifetime } = await check(token, claims)
      // What the user service says is newer than what the token does.
      const known = { ...claims, ...said }
      return { identity: identityOf(consumerOf(known, names)), expires: Math.min(endOf(claims), endOf(said)), lifetime }
    }

    /** The header goes first, then the cookie, then the query. */
    function tokenOf(exchange: Exchange): string | null {
      const sent = header === false ? null : bearerToken(exchange.headers, header)
      if (sent !== null) return sent
      const kept = cookie === undefined ? null : cookieToken(exchange, cookie)
      if (kept !== null || query === undefined) return kept
      return queryParameter(exchange.query, query) || null
    }

    return {
      readsAuthorization: header !== false && sameName(header, 'Authorization'),
      authenticate(exchange, checkFailures) {
        const token = tokenOf(exchange)
        if (token === null) return null
        const digest = hash('sha256', token, 'base64url')
        const known = cache.find(digest)
        if (known !== null) return known
        if (!isSigned(token)) return null
        checkFailures?.(exchange)
        return cache.resolve(digest, () => verify(token))
      },
      conceal({ headers }) {
        if (header !== false && !sameName(header, 'Authorization')) headers.delete(header)
        else if (header !== false) dropBearerToken(headers)
        if (cookie !== undefined) dropCookie(headers, cookie)
      },
      ...(query !== undefined && {
        redact(exchange: Exchange) {
          exchange.query = withoutParameter(exchange.query, query)
        },
      }),
    }
  },
})

/** What the user service says of a token, and how long that counts, in milliseconds. */
type Check = (token: string, claims: Claims) => Promise<{ readonly said: Claims; readonly lifetime: number }>

function createCheck(options: JwtOptions['introspection'], toolbox: PolicyToolbox): Check {
  if (options === undefined) return () => Promise.resolve({ said: {}, lifetime: Infinity })
  const { cache: lifetime, onUnreachable, ...question } = options
  const introspect = createIntrospector(question, toolbox)
  return async (token, { sub }) => {
    const answer = await introspect(token).catch((error: unknown) => {
      if (onUnreachable === 'accept' && error instanceof GatewayError) return undefined
      throw error
    })
    if (answer === undefined) return { said: {}, lifetime: Math.min(lifetime, UNCHECKED) }
    if (answer === null || endOf(answer) <= toolbox.clock.wall()) throw new CredentialError('inactive')
    if (answer['sub'] !== undefined && answer['sub'] !== sub) throw new CredentialError('subject')
    return { said: answer, lifetime }
  }
}

function keySource(options: JwtOptions, toolbox: PolicyToolbox, changed: () => void): KeySource {
  const { secret = [], publicKeys, jwks, issuer, refresh } = options
  const configured = configuredKeys(secret, publicKeys ?? [])
  const needsRemote = publicKeys === undefined && allowedAlgorithms(options).some((name) => !isSecretAlgorithm(name))
  if (!needsRemote) return configured
  const from = jwks === undefined ? { issuer: issuer ?? '' } : { jwks }
  const remote = new RemoteKeys({ from, refresh, changed }, toolbox)
  return { find: (algorithm, id) => (isSecretAlgorithm(algorithm) ? configured : remote).find(algorithm, id) }
}
