import { timingSafeEqual } from 'node:crypto'
import { type Identity, identityOf } from './identity.ts'

/** An API key as the gateway knows it. */
export interface ApiKey {
  readonly identity: Identity
  /** Wall-clock milliseconds; Infinity for a key that does not end. */
  readonly expires: number
}

/** Where API keys are looked up. */
export interface ApiKeyStore {
  /** The key with this SHA-256 digest, or null. */
  find(digest: Buffer): ApiKey | null
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

interface Entry {
  readonly digest: Buffer
  readonly key: ApiKey
}

/**
 * The keys of the configuration. The first four octets of a digest lead to the few keys to compare with, each in the
 * same time whether they agree in one octet or in all.
 */
export function configuredApiKeys(keys: readonly ConfiguredApiKey[]): ApiKeyStore {
  const entries = keys.map(({ id, sha256, owner = id, tier, roles, expires = Infinity }): Entry => ({
    digest: Buffer.from(sha256, 'hex'),
    key: { identity: identityOf({ id: owner, roles, scopes: [], tier, key: id }), expires },
  }))
  const buckets = Map.groupBy(entries, ({ digest }) => digest.readUInt32BE())
  return {
    find(digest) {
      let found: ApiKey | null = null
      for (const entry of buckets.get(digest.readUInt32BE()) ?? [])
        if (timingSafeEqual(entry.digest, digest)) found = entry.key
      return found
    },
  }
}
