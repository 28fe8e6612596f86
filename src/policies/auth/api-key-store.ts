import { timingSafeEqual } from 'node:crypto'
import type { ApiKeys } from '../../core/api-keys.ts'
import type { Clock } from '../../core/clock.ts'
import { CredentialError } from './credential-error.ts'
import { type Identity, identityOf } from './identity.ts'
import { IdentityCache, type Verified } from './identity-cache.ts'

/** The keys of the configuration. */
export interface ConfiguredApiKeys {
  /** Who holds the key with this SHA-256 digest, or null. Throws CredentialError 'expired-key'. */
  find(digest: Buffer): Identity | null
}

/** The keys of a store that all gateways share. */
export interface SharedApiKeys {
  /** Who holds the key with this SHA-256 digest; null where that is to be asked. Throws CredentialError. */
  known(digest: Buffer): Identity | null
  /** Asks the store. Rejects with CredentialError, or GatewayError 'keys-unavailable'. */
  ask(digest: Buffer): Promise<Identity>
}

/** An API key as it stands in the configuration; `expires` is wall-clock milliseconds. */
export interface ConfiguredApiKey {
  readonly id: string
  /** Hexadecimal. */
  readonly sha256: string
  readonly owner?: string | undefined
  readonly tier: string
  readonly roles: readonly string[]
  readonly expires?: number | undefined
}

/**
 * The keys of the configuration. The first four octets of a digest lead to the few keys to compare with, each in the
 * same time whether they agree in one octet or in all.
 */
export function configuredApiKeys(keys: readonly ConfiguredApiKey[], clock: Clock): ConfiguredApiKeys {
  const entries = keys.map(({ id, sha256, owner = id, tier, roles, expires = Infinity }) => ({
    digest: Buffer.from(sha256, 'hex'),
    identity: identityOf({ id: owner, roles, scopes: [], tier, key: id, claims: {} }),
    expires,
  }))
  const buckets = Map.groupBy(entries, ({ digest }) => digest.readUInt32BE())
  return {
    find(digest) {
      let found: (typeof entries)[number] | null = null
      for (const entry of buckets.get(digest.readUInt32BE()) ?? [])
        if (timingSafeEqual(entry.digest, digest)) found = entry
      if (found !== null && found.expires <= clock.wall()) throw new CredentialError('expired-key')
      return found === null ? null : found.identity
    },
  }
}

/** How long the word of a store counts, in milliseconds, and for how many keys it is kept. */
export interface KeyCacheOptions {
  readonly cache: number
  readonly cacheSize: number
}

/** What the store says counts for a while, yes or no: so long may a revoked key work at most. */
export function sharedApiKeys(
  keys: ApiKeys,
  { cache: lifetime, cacheSize }: KeyCacheOptions,
  clock: Clock,
): SharedApiKeys {
  const known = new IdentityCache(cacheSize, lifetime, clock)

  async function verify(sha256: string): Promise<Verified> {
    const key = await keys.find(sha256)
    if (key === null) throw new CredentialError('key')
    const { id, owner, roles, tier } = key
    const expires = key.expires ?? Infinity
    if (expires <= clock.wall()) throw new CredentialError('expired-key')
    return { identity: identityOf({ id: owner, roles, scopes: [], tier, key: id, claims: {} }), expires, lifetime }
  }

  return {
    known: (digest) => known.find(digest.toString('hex')),
    ask(digest) {
      const sha256 = digest.toString('hex')
      return known.resolve(sha256, () => verify(sha256))
    },
  }
}
