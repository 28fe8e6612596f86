import type { StoredApiKey } from './api-key-store.ts'
import type { WrittenKey } from './api-key.ts'
import type { KeyDescription } from './key-ring.ts'
import { KEY_TIER } from './key-request.ts'

/** A key as it is written in the configuration, without what goes without saying; its end is ISO 8601. */
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

/** What a key of the configuration is like. */
export function describeWritten({ id, owner = id, tier, roles, expires }: WrittenKey): KeyDescription {
  return { id, owner, tier, roles, expires: expires ?? null }
}

/** Of the keys of one id in the configuration, the one that another one would take the place of; undefined for none. */
export function newestOf(keys: readonly WrittenKey[]): WrittenKey | undefined {
  return keys.find(({ expires }) => expires === undefined) ?? keys[0]
}
