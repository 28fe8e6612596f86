import { GatewayError } from '../../../core/errors.ts'
import type { WrittenKey } from './api-key.ts'
import type { StoredApiKey } from './api-key-store.ts'
import { describeWritten, newestOf } from './key-entry.ts'
import { type KeyConfiguration, type KeyPlace, keyPlace } from './key-place.ts'
import { endOfOld, type KeyDescription, type MadeKey, makeKey, noKey, refuseEnded } from './key-ring.ts'
import type { KeyConnection } from './key-connection.ts'

/** Where a key is stored, or is to be stored. */
export const keyStores = ['configuration', 'redis'] as const

export type KeyStore = (typeof keyStores)[number]

/** A key that has replaced another one. If the store is the configuration, the operator still has to write it there. */
export interface Rotated extends MadeKey {
  readonly store: KeyStore
  readonly old: { readonly sha256: string; readonly prefix: string | null; readonly expires: number }
}

/** Keys that have been revoked. If the store is the configuration, the operator still has to remove them there. */
export interface Revoked {
  readonly store: KeyStore
  readonly keys: readonly { readonly sha256: string; readonly prefix: string | null }[]
}

/**
 * Creates, rotates and revokes the keys of a configuration. Keys in Redis are changed there; for keys in the configuration itself,
 * the methods only return what is to be written. Every method rejects with GatewayError: 'conflict', 'not-found', or
 * 'keys-unavailable' if Redis does not reply. `now` is in wall-clock milliseconds.
 */
export class ManagedKeys {
  readonly place: KeyPlace
  private readonly connection: KeyConnection
  private readonly now: () => number

  constructor(config: KeyConfiguration, connection: KeyConnection, now: () => number) {
    this.place = keyPlace(config)
    this.connection = connection
    this.now = now
  }

  /** Where new keys are stored. */
  get store(): KeyStore {
    return this.place.redis === null ? 'configuration' : 'redis'
  }

  /** The keys in Redis, sorted by id; keys of the same id newest first. */
  async stored(): Promise<StoredApiKey[]> {
    const { redis } = this.place
    return redis === null ? [] : this.connection.read(redis, (ring) => ring.list())
  }

  /** Creates a key with an id that is not yet in use. */
  async create(description: KeyDescription): Promise<MadeKey> {
    const { configured, redis } = this.place
    const { id } = description
    if (configured.some((key) => key.id === id))
      throw new GatewayError('conflict', `The configuration has an API key "${id}" already: choose another id.`)
    if (redis === null) return makeKey(description, this.now())
    return this.connection.change(redis, (ring) => ring.create(description))
  }

  /**
   * Creates another key like the one of that id, which stays valid alongside it for `overlap` milliseconds; `expires` as in
   * `KeyRing`.
   */
  async rotate(id: string, overlap: number, expires?: number): Promise<Rotated> {
    const { redis } = this.place
    const written = newestOf(this.written(id))
    const now = this.now()
    if (written !== undefined) {
      const like = describeWritten(written)
      refuseEnded(id, like.expires, now)
      const made = makeKey({ ...like, ...(expires !== undefined && { expires }) }, now)
      const { sha256, prefix = null } = written
      return { ...made, store: 'configuration', old: { sha256, prefix, expires: endOfOld(like.expires, overlap, now) } }
    }
    if (redis === null) throw noKey(id)
    return { ...(await this.connection.change(redis, (ring) => ring.rotate(id, overlap, expires))), store: 'redis' }
  }

  /** Those of that id that stand in the configuration, or those of them that begin with `prefix`. */
  written(id: string, prefix?: string): WrittenKey[] {
    return this.place.configured.filter((key) => key.id === id && (prefix === undefined || key.prefix === prefix))
  }

  /** Revokes all keys of that id, or those of them that begin with `prefix`: in the configuration, else in Redis. */
  async revoke(id: string, prefix?: string): Promise<Revoked> {
    const written = this.written(id, prefix)
    if (written.length > 0)
      return {
        store: 'configuration',
        keys: written.map(({ sha256, prefix: begin = null }) => ({ sha256, prefix: begin })),
      }
    const { redis } = this.place
    if (redis === null) throw noKey(id, prefix)
    return { store: 'redis', keys: await this.connection.change(redis, (ring) => ring.revoke(id, prefix)) }
  }
}
