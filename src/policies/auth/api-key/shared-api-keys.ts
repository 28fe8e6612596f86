import type { ApiKeys } from './api-key-store.ts'
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'
import { CredentialError } from '../credential-error.ts'
import { type Identity, identityOf } from '../identity.ts'
import { IdentityCache, type Verified } from '../identity-cache.ts'
import type { KeyUse } from './topics.ts'

/** Number of keys whose last use is remembered. */
const SEEN = 5000

export interface SharedApiKeysOptions {
  /** How long a result from the store is cached, in milliseconds. */
  readonly cache: number
  /** For how many keys results are cached. */
  readonly cacheSize: number
}

/**
 * The keys of a store shared by all gateways. Results, positive and negative, are cached for a while, which is how long a revoked
 * key may keep working at most.
 */
export class SharedApiKeys {
  private readonly keys: ApiKeys
  private readonly clock: Clock
  private readonly lifetime: number
  private readonly cache: IdentityCache
  /** When the store last confirmed a key, in wall-clock milliseconds, by its digest. */
  private readonly seen = new BoundedMap<string, number>(SEEN)

  constructor(keys: ApiKeys, { cache, cacheSize }: SharedApiKeysOptions, clock: Clock) {
    this.keys = keys
    this.clock = clock
    this.lifetime = cache
    this.cache = new IdentityCache(cacheSize, cache, clock)
  }

  /** The identity behind the key with this SHA-256 digest; null if the store has to be asked. Throws CredentialError. */
  known(digest: Buffer): Identity | null {
    return this.cache.find(digest.toString('hex'))
  }

  /** Asks the store. Rejects with CredentialError, or GatewayError 'keys-unavailable'. */
  ask(digest: Buffer): Promise<Identity> {
    const sha256 = digest.toString('hex')
    return this.cache.resolve(sha256, () => this.verify(sha256))
  }

  /** Drops what is cached about the keys with these digests, so that the store is asked again. */
  forget(digests: readonly string[]): void {
    for (const sha256 of digests) this.cache.forget(sha256)
  }

  /** When these keys were last seen; keys that were not seen are left out. Updated when the store is asked, not with each request. */
  uses(digests: readonly string[]): KeyUse[] {
    return digests.flatMap((sha256) => {
      const at = this.seen.get(sha256)
      return at === undefined ? [] : [[sha256, at] as const]
    })
  }

  private async verify(sha256: string): Promise<Verified> {
    const key = await this.keys.find(sha256)
    if (key === null) throw new CredentialError('key')
    const { id, owner, roles, tier } = key
    const expires = key.expires ?? Infinity
    const now = this.clock.wall()
    this.seen.set(sha256, now)
    if (expires <= now) throw new CredentialError('expired-key')
    const identity = identityOf({ id: owner, roles, scopes: [], tier, key: id, claims: {} })
    return { identity, expires, lifetime: this.lifetime }
  }
}
