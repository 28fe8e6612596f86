import { timingSafeEqual } from 'node:crypto'
import type { PolicyToolbox } from '../../policy.ts'
import type { Counter } from '../../../core/metrics.ts'
import { CredentialError } from '../credential-error.ts'
import { type Identity, identityOf } from '../identity.ts'
import type { KeyUse } from './topics.ts'

/** The keys of the configuration. */
export interface ConfiguredApiKeys {
  /**
   * The identity behind the key with this SHA-256 digest, or null. A match is recorded as a use of the key. Throws CredentialError
   * 'expired-key'.
   */
  find(digest: Buffer): Identity | null
  /** When these keys (digests in hexadecimal) were last used; keys that were never used are left out. */
  uses(digests: readonly string[]): KeyUse[]
}

/** An API key as written in the configuration; `expires` is in wall-clock milliseconds. */
export interface ConfiguredApiKey {
  readonly id: string
  /** Hexadecimal. */
  readonly sha256: string
  readonly owner?: string | undefined
  readonly tier: string
  readonly roles: readonly string[]
  readonly expires?: number | undefined
}

interface AcceptedKey {
  readonly digest: Buffer
  readonly identity: Identity
  readonly expires: number
  readonly requests: Counter
  /** Wall-clock milliseconds of the last request with this key; 0 if there was none. */
  used: number
}

/**
 * Looks up keys of the configuration. The first four bytes of a digest select a few candidates, each of which is compared in
 * constant time.
 */
export function configuredApiKeys(
  keys: readonly ConfiguredApiKey[],
  { clock, metrics }: Pick<PolicyToolbox, 'clock' | 'metrics'>,
): ConfiguredApiKeys {
  const entries = keys.map(({ id, sha256, owner = id, tier, roles, expires = Infinity }): AcceptedKey => ({
    digest: Buffer.from(sha256, 'hex'),
    identity: identityOf({ id: owner, roles, scopes: [], tier, key: id, claims: {} }),
    expires,
    requests: metrics.counter('sallyport_api_key_requests_total', { key: id }),
    used: 0,
  }))
  const buckets = Map.groupBy(entries, ({ digest }) => digest.readUInt32BE())
  return {
    find(digest) {
      let found: AcceptedKey | null = null
      for (const entry of buckets.get(digest.readUInt32BE()) ?? [])
        if (timingSafeEqual(entry.digest, digest)) found = entry
      if (found === null) return null
      const now = clock.wall()
      found.requests.add(1)
      found.used = now
      if (found.expires <= now) throw new CredentialError('expired-key')
      return found.identity
    },
    uses(digests) {
      const requested = new Set(digests)
      return entries.flatMap(({ digest, used }) => {
        const sha256 = used === 0 ? '' : digest.toString('hex')
        return requested.has(sha256) ? [[sha256, used] as const] : []
      })
    },
  }
}
