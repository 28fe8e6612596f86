import type { PolicyToolbox } from '../policy.ts'
import { type Holder, Shared } from '../../core/shared.ts'
import { GatewayError } from '../../core/errors.ts'
import { type Claims, consumerOf, endOf } from './claims.ts'
import { CredentialError } from './credential-error.ts'
import { type Identity, identityOf } from './identity.ts'
import { IdentityCache, type Verified } from './identity-cache.ts'
import { createIntrospector } from './introspector.ts'
import { allowedAlgorithms, type IssuerOptions, isSecretAlgorithm } from './jwt-options.ts'
import { configuredKeys, type KeySource } from './keys.ts'
import { RemoteKeys } from './remote-keys.ts'
import { verifyToken } from './verify-token.ts'

/** How long a token is accepted on its signature alone before the user service, if it failed to reply, is asked again; ms. */
const UNCHECKED = 5000

/** Verifies the tokens of one issuer, with that issuer's keys only, and caches the results. */
export interface Issuer {
  /** The identity behind a token that was verified before, by the token's digest, or null. Throws CredentialError. */
  find(digest: string): Identity | null
  /** The identity behind a token. Rejects with CredentialError, or GatewayError 'service-unavailable'. */
  resolve(digest: string, token: string): Promise<Identity>
}

/** Creates the issuer described by the options; `cacheSize` is the number of tokens. */
export function createIssuer(options: IssuerOptions, cacheSize: number, toolbox: PolicyToolbox): Issuer {
  const { claims: names, issuer, audience, type, tolerance, introspection } = options
  const { clock } = toolbox
  const cache = new IdentityCache(cacheSize, introspection?.cache ?? 0, clock)
  const keys = keysOf(options, toolbox)
  let { version } = keys
  const rules = { algorithms: allowedAlgorithms(options), issuer, audience, type, tolerance }
  const check = createCheck(introspection, toolbox)

  async function verify(token: string): Promise<Verified> {
    const claims = await verifyToken(token, keys, rules, clock.wall())
    const { reported, lifetime } = await check(token, claims)
    // What the user service says is more recent than the token's claims, except for the token's binding.
    const { cnf = reported['cnf'] } = claims
    const known = { ...claims, ...reported, ...(cnf !== undefined && { cnf }) }
    return {
      identity: identityOf(consumerOf(known, names)),
      expires: Math.min(endOf(claims), endOf(reported)),
      lifetime,
    }
  }

  /** Identities verified with earlier keys are dropped. */
  function verified(): IdentityCache {
    if (keys.version !== version) cache.clear()
    version = keys.version
    return cache
  }

  return {
    find: (digest) => verified().find(digest),
    resolve: (digest, token) => verified().resolve(digest, () => verify(token)),
  }
}

/** Asks the user service about a token. Resolves with what it says, and how long that may be cached, in milliseconds. */
type Check = (token: string, claims: Claims) => Promise<{ readonly reported: Claims; readonly lifetime: number }>

function createCheck(options: IssuerOptions['introspection'], toolbox: PolicyToolbox): Check {
  if (options === undefined) return () => Promise.resolve({ reported: {}, lifetime: Infinity })
  const { cache: lifetime, onUnreachable, ...question } = options
  const introspect = createIntrospector(question, toolbox)
  return async (token, { sub }) => {
    const answer = await introspect(token).catch((error: unknown) => {
      if (onUnreachable === 'accept' && error instanceof GatewayError) return undefined
      throw error
    })
    if (answer === undefined) return { reported: {}, lifetime: Math.min(lifetime, UNCHECKED) }
    if (answer === null || endOf(answer) <= toolbox.clock.wall()) throw new CredentialError('inactive')
    if (answer['sub'] !== undefined && answer['sub'] !== sub) throw new CredentialError('subject')
    return { reported: answer, lifetime }
  }
}

/** The source of an issuer's keys. */
interface Keys extends KeySource {
  /** Incremented whenever the keys change. */
  readonly version: number
}

/** A fetched key set, and how often it has changed. */
interface KeySet {
  readonly keys: RemoteKeys
  version: number
  readonly close: () => void
}

/** The key sets of a thread. They are kept across other changes of the options, as the provider may be down at that moment. */
const keySets = new Shared<KeySet>()

function keysOf(options: IssuerOptions, toolbox: PolicyToolbox): Keys {
  const { secret = [], publicKeys, jwks, issuer, ca, refresh } = options
  const configured = configuredKeys(secret, publicKeys ?? [])
  const needsRemote = publicKeys === undefined && allowedAlgorithms(options).some((name) => !isSecretAlgorithm(name))
  if (!needsRemote) return { version: 0, find: (algorithm, id) => configured.find(algorithm, id) }
  const from = jwks === undefined ? { issuer: issuer ?? '' } : { jwks }
  const { clock, log, threads } = toolbox
  const make = (own: Holder): KeySet => {
    const changed = (): void => void made.version++
    const keys = new RemoteKeys({ from, ca, refresh, changed }, { clock, log, threads })
    const made: KeySet = { keys, version: 0, close: () => keys.close() }
    // Not before: a configuration that is only checked contacts nobody.
    own.onTakeOver(() => void keys.refresh())
    return made
  }
  const set = keySets.get(toolbox.holder, JSON.stringify([from, ca, refresh]), make)
  return {
    get version() {
      return set.version
    },
    find: (algorithm, id) => (isSecretAlgorithm(algorithm) ? configured : set.keys).find(algorithm, id),
  }
}
