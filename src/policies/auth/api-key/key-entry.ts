import type { StoredApiKey } from './api-key-store.ts'
import type { WrittenKey } from './api-key.ts'
import type { KeyDescription } from './key-ring.ts'
import { KEY_TIER } from './key-request.ts'

/** A key as written in the configuration, without values that equal the defaults; its expiry is in ISO 8601 format. */
export function entryOf({ id, sha256, prefix, owner, tier, roles, expires }: StoredApiKey) {
  return {
    id,
    sha256,
    prefix,
    ...(owner !== id && { owner }),
    ...(tier !== KEY_TIER && { tier }),
    ...(roles.length > 0 && { roles }),
    ...(expires !== null && { expires: new Date(expires).toISOString() }),
  }
}

/** Describes a key of the configuration. */
export function describeWritten({ id, owner = id, tier, roles, expires }: WrittenKey): KeyDescription {
  return { id, owner, tier, roles, expires: expires ?? null }
}

/** Of the configured keys with the same id, the one that a rotation would replace; undefined if there are none. */
export function newestOf(keys: readonly WrittenKey[]): WrittenKey | undefined {
  return keys.find(({ expires }) => expires === undefined) ?? keys[0]
}
