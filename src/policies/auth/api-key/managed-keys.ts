import { GatewayError } from '../../../core/errors.ts'
import type { StoredApiKey } from './api-key-store.ts'
import { describeWritten, newestOf } from './key-entry.ts'
import { type KeyConfiguration, type KeyPlace, keyPlace } from './key-place.ts'
import { endOfOld, type KeyDescription, type MadeKey, makeKey, noKey, refuseEnded } from './key-ring.ts'
import { withKeyRing } from './redis/with-key-ring.ts'

/** Where a key is, or is to be. */
export const keyStores = ['configuration', 'redis'] as const

export type KeyStore = (typeof keyStores)[number]

/** A key that took the place of another one, or is to: in the configuration that is for somebody to write. */
export interface Rotated extends MadeKey {
  readonly store: KeyStore
  readonly old: { readonly sha256: string; readonly prefix: string | null; readonly expires: number }
}

/** Keys that are revoked, or are to be: in the configuration that is for somebody to write. */
export interface Revoked {
  readonly store: KeyStore
  readonly keys: readonly { readonly sha256: string; readonly prefix: string | null }[]
}

/**
 * Makes, exchanges and revokes the keys of a configuration. Those in its Redis are changed there; of what stands in the configuration itself
 * only is said what it is to become. Every method rejects with GatewayError: 'conflict', 'not-found', and 'keys-unavailable' where Redis
 * does not answer. `now` is wall-clock milliseconds.
 */
export class ManagedKeys {
  readonly place: KeyPlace
  private readonly now: () => number

  constructor(config: KeyConfiguration, now: () => number) {
    this.place = keyPlace(config)
    this.now = now
  }

  /** Where new keys go. */
  get store(): KeyStore {
    return this.place.redis === null ? 'configuration' : 'redis'
  }

  /** Those in Redis, by their ids; of one id the newest first. */
  async stored(): Promise<StoredApiKey[]> {
    const { redis } = this.place
    return redis === null ? [] : withKeyRing(redis, this.now, (ring) => ring.list())
  }

  /** Makes a key, of an id that none has. */
  async create(description: KeyDescription): Promise<MadeKey> {
    const { configured, redis } = this.place
    const { id } = description
    if (configured.some((key) => key.id === id))
      throw new GatewayError('conflict', `The configuration has an API key "${id}" already: choose another id.`)
    if (redis === null) return makeKey(description, this.now())
    return withKeyRing(redis, this.now, (ring) => ring.create(description))
  }

  /** Makes another key like the one of that id, which goes on beside it for `overlap` milliseconds; `expires` as in `KeyRing`. */
  async rotate(id: string, overlap: number, expires?: number): Promise<Rotated> {
    const { configured, redis } = this.place
    const written = newestOf(configured.filter((key) => key.id === id))
    const now = this.now()
    if (written !== undefined) {
      const like = describeWritten(written)
      refuseEnded(id, like.expires, now)
      const made = makeKey({ ...like, ...(expires !== undefined && { expires }) }, now)
      const { sha256, prefix = null } = written
      return { ...made, store: 'configuration', old: { sha256, prefix, expires: endOfOld(like.expires, overlap, now) } }
    }
    if (redis === null) throw noKey(id)
    return { ...(await withKeyRing(redis, this.now, (ring) => ring.rotate(id, overlap, expires))), store: 'redis' }
  }

  /** Revokes all keys of that id, or those of them that begin with `prefix`. */
  async revoke(id: string, prefix?: string): Promise<Revoked> {
    const { configured, redis } = this.place
    const written = configured.filter((key) => key.id === id)
    if (written.length > 0) {
      const keys = written.filter((key) => prefix === undefined || key.prefix === prefix)
      if (keys.length === 0) throw noKey(id, prefix)
      return {
        store: 'configuration',
        keys: keys.map(({ sha256, prefix: begin = null }) => ({ sha256, prefix: begin })),
      }
    }
    if (redis === null) throw noKey(id, prefix)
    return { store: 'redis', keys: await withKeyRing(redis, this.now, (ring) => ring.revoke(id, prefix)) }
  }
}
