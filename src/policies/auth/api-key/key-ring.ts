import { randomUUID } from 'node:crypto'
import { GatewayError } from '../../../core/errors.ts'
import type { StoredApiKey } from './api-key-store.ts'
import { newApiKey } from './new-api-key.ts'
import type { RedisApiKeys } from './redis/redis-api-keys.ts'

/** The properties of a new key. */
export type KeyDescription = Omit<StoredApiKey, 'sha256' | 'prefix' | 'created'>

/** A newly created key. */
export interface MadeKey {
  /** What the client sends. Shown once and stored nowhere. */
  readonly secret: string
  readonly key: StoredApiKey
}

/** A key that replaced another one. */
export interface RotatedKey extends MadeKey {
  /** The old key, with its new expiry. */
  readonly old: StoredApiKey & { readonly expires: number }
}

/** Creates a key without storing it. */
export function makeKey(description: KeyDescription, now: number): MadeKey {
  const { secret, ...made } = newApiKey()
  return { secret, key: { ...description, ...made, created: now } }
}

/**
 * When an old key expires that stays valid alongside its replacement for `overlap` milliseconds: never later than it would have
 * anyway.
 */
export function endOfOld(expires: number | null, overlap: number, now: number): number {
  return Math.min(expires ?? Infinity, now + overlap)
}

/** Throws GatewayError 'conflict' for a key that has expired: a replacement would extend access that was meant to end. */
export function refuseEnded(id: string, expires: number | null, now: number): void {
  if (expires !== null && expires <= now)
    throw new GatewayError('conflict', `The API key "${id}" has expired: revoke it, and create another one.`)
}

/**
 * Creates, rotates and revokes keys in Redis. Each change is a single atomic command. Methods reject with GatewayError 'conflict'
 * and 'not-found', and with any error of the connection to Redis; `now` is in wall-clock milliseconds.
 */
export class KeyRing {
  private readonly keys: RedisApiKeys
  private readonly now: () => number

  constructor(keys: RedisApiKeys, now: () => number) {
    this.keys = keys
    this.now = now
  }

  /** All keys, sorted by id; keys of the same id newest first. */
  list(): Promise<StoredApiKey[]> {
    return this.keys.list()
  }

  /** Creates a key with an id that is not yet in use. */
  async create(description: KeyDescription): Promise<MadeKey> {
    const { id } = description
    // Between looking for keys with that id and storing one, nobody else may do the same.
    const owner = randomUUID()
    const claimed = new GatewayError('conflict', `An API key "${id}" is being created by someone else right now.`)
    if (!(await this.keys.claim(id, owner))) throw claimed
    try {
      if ((await this.of(id)).length > 0)
        throw new GatewayError(
          'conflict',
          `There is an API key "${id}" already: rotate or revoke it, or choose another id.`,
        )
      const made = makeKey(description, this.now())
      if (!(await this.keys.add(made.key, owner))) throw claimed
      return made
    } finally {
      // Otherwise the claim expires by itself.
      await this.keys.release(id, owner).catch(() => {})
    }
  }

  /**
   * Creates another key like the newest one of that id, which stays valid alongside it for `overlap` milliseconds. `expires` is
   * when the new key expires; if undefined, when the old one would have. Expired keys of the id are removed.
   */
  async rotate(id: string, overlap: number, expires?: number): Promise<RotatedKey> {
    const now = this.now()
    const [newest, ...older] = await this.of(id)
    if (newest === undefined) throw noKey(id)
    refuseEnded(id, newest.expires, now)
    const { sha256: _, prefix: __, created: ___, ...like } = newest
    const made = makeKey({ ...like, ...(expires !== undefined && { expires }) }, now)
    const old = { ...newest, expires: endOfOld(newest.expires, overlap, now) }
    const ended = older.filter((key) => key.expires !== null && key.expires <= now)
    if (!(await this.keys.replace(newest, old, made.key, ended)))
      throw new GatewayError(
        'conflict',
        `The API key "${id}" was changed by someone else in the meantime: nothing was done.`,
      )
    return { ...made, old }
  }

  /** Removes all keys of that id, or only those that begin with `prefix`. Resolves with the removed keys. */
  async revoke(id: string, prefix?: string): Promise<StoredApiKey[]> {
    const found = (await this.of(id)).filter((key) => prefix === undefined || key.prefix === prefix)
    if (found.length === 0) throw noKey(id, prefix)
    await this.keys.remove(found)
    return found
  }

  private async of(id: string): Promise<StoredApiKey[]> {
    return (await this.list()).filter((key) => key.id === id)
  }
}

/** The error for a key that does not exist. */
export function noKey(id: string, prefix?: string): GatewayError {
  const which = prefix === undefined ? '' : ` that begins with "${prefix}"`
  return new GatewayError('not-found', `There is no API key "${id}"${which}.`)
}
