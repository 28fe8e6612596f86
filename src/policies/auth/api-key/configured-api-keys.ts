import { timingSafeEqual } from 'node:crypto'
import type { PolicyToolbox } from '../../policy.ts'
import type { Counter } from '../../../core/metrics.ts'
import { CredentialError } from '../credential-error.ts'
import { type Identity, identityOf } from '../identity.ts'
import type { KeyUse } from './topics.ts'

/** The keys of the configuration. */
export interface ConfiguredApiKeys {
  /** Who holds the key with this SHA-256 digest, whose requests are counted, or null. Throws CredentialError 'expired-key'. */
  find(digest: Buffer): Identity | null
  /** When those of these keys were used last that were, by their digests in hexadecimal. */
  uses(digests: readonly string[]): KeyUse[]
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

interface AcceptedKey {
  readonly digest: Buffer
  readonly identity: Identity
  readonly expires: number
  readonly requests: Counter
  /** Wall-clock milliseconds of the last request with it; 0 for none. */
  used: number
}

/**
 * Looks keys of the configuration up. The first four octets of a digest lead to the few keys to compare with, each in the
 * same time whether they agree in one octet or in all.
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
      const asked = new Set(digests)
      return entries.flatMap(({ digest, used }) => {
        const sha256 = used === 0 ? '' : digest.toString('hex')
        return asked.has(sha256) ? [[sha256, used] as const] : []
      })
    },
  }
}
