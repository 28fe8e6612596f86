import { GatewayError } from '../../../core/errors.ts'
import type { StoredApiKey } from './api-key-store.ts'
import { newApiKey } from './new-api-key.ts'
import type { RedisApiKeys } from './redis/redis-api-keys.ts'

/** What a new key is like. */
export type KeyDescription = Omit<StoredApiKey, 'sha256' | 'prefix' | 'created'>

/** A key that was made. */
export interface MadeKey {
  /** What the client sends: to be shown once, and kept nowhere. */
  readonly secret: string
  readonly key: StoredApiKey
}

/** A key that took the place of another one. */
export interface RotatedKey extends MadeKey {
  /** The old one, with the end that it has now. */
  readonly old: StoredApiKey & { readonly expires: number }
}

/** Makes a key, which is kept nowhere yet. */
export function makeKey(description: KeyDescription, now: number): MadeKey {
  const { secret, ...made } = newApiKey()
  return { secret, key: { ...description, ...made, created: now } }
}

/** When an old key ends that goes on beside a new one for so many milliseconds: never later than it was to. */
export function endOfOld(expires: number | null, overlap: number, now: number): number {
  return Math.min(expires ?? Infinity, now + overlap)
}

/** Throws GatewayError 'conflict' for a key that has ended: what took its place would go on where somebody has meant an end. */
export function refuseEnded(id: string, expires: number | null, now: number): void {
  if (expires !== null && expires <= now)
    throw new GatewayError('conflict', `The API key "${id}" has expired: revoke it, and create another one.`)
}

/**
 * Makes, exchanges and revokes the keys in Redis. Each change is one command, and whole. Rejects with GatewayError 'conflict' and
 * 'not-found', and with whatever keeps Redis from answering; `now` is wall-clock milliseconds.
 */
export class KeyRing {
  private readonly keys: RedisApiKeys
  private readonly now: () => number

  constructor(keys: RedisApiKeys, now: () => number) {
    this.keys = keys
    this.now = now
  }

  /** All of them, by their ids; of one id the newest first. */
  list(): Promise<StoredApiKey[]> {
    return this.keys.list()
  }

  /** Makes a key, of an id that none has. */
  async create(description: KeyDescription): Promise<MadeKey> {
    const { id } = description
    if ((await this.of(id)).length > 0)
      throw new GatewayError(
        'conflict',
        `There is an API key "${id}" already: rotate or revoke it, or choose another id.`,
      )
    const made = makeKey(description, this.now())
    await this.keys.add(made.key)
    return made
  }

  /**
   * Makes another key like the newest of that id, which goes on beside it for `overlap` milliseconds; `expires` is the end of the new one,
   * undefined for that of the old one. Keys of the id that have ended are taken out.
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
        `The API key "${id}" was changed by somebody else meanwhile: nothing was done.`,
      )
    return { ...made, old }
  }

  /** Takes out all keys of that id, or those of them that begin with `prefix`. Resolves with them. */
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

/** There is no such key. */
export function noKey(id: string, prefix?: string): GatewayError {
  const which = prefix === undefined ? '' : ` that begins with "${prefix}"`
  return new GatewayError('not-found', `There is no API key "${id}"${which}.`)
}
