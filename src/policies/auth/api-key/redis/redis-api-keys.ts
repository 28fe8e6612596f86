import { parseJson } from '../../../../core/parse-json.ts'
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { StoredApiKey } from '../api-key-store.ts'
import type { RedisClient } from '../../../../redis/client.ts'

/** The hash that holds all keys: digest -> the key as JSON. As it is a single Redis key, every change is atomic in a Cluster too. */
export const HASH = 'sallyport:api-keys'
/** About how many keys are read at a time, so that a long list does not block Redis. */
const PAGE = '200'

/** How long an id may be claimed for creating a key, in milliseconds. */
const CLAIM = '10000'

/** Who is creating a key with that id. It is on the same Cluster node as the hash. */
const claimOf = (id: string): string => `{${HASH}}:claim:${id}`

/** KEYS: the hash, the claim. ARGV: who has claimed the id; digest and text of the key. Reply: 1; 0 if someone else has claimed the id. */
const ADD = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
`

/** KEYS: the claim. ARGV: who has claimed the id. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`

/**
 * KEYS: the hash. ARGV: digest of the old key, its current text, its new text, digest and text of the new key, digests to remove.
 * Reply: 1; 0 if the old key has changed in the meantime, for example because it was revoked, in which case nothing is changed.
 */
const REPLACE = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
for i = 6, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 1
`

/** Wall-clock milliseconds in the range of a Date (ECMA-262 section 21.4.1.1). */
const time = z.number().min(0).max(8.64e15)

const stored = z.object({
  id: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  prefix: z.string(),
  owner: z.string().min(1),
  tier: z.string().min(1),
  roles: z.string().array(),
  created: time,
  expires: time.nullable(),
}) satisfies z.ZodType<StoredApiKey>

/** API keys in Redis. Every method rejects with any error of the connection to Redis. */
export class RedisApiKeys {
  private readonly client: RedisClient

  constructor(client: RedisClient) {
    this.client = client
  }

  /** The text stored under the digest, to be parsed by `parseApiKey`; null if there is none. */
  read(sha256: string): Promise<string | null> {
    return this.client.hget(HASH, sha256)
  }

  /** Claims an id, for `add`. Resolves with false if someone else has claimed it. */
  async claim(id: string, owner: string): Promise<boolean> {
    return (await this.client.set(claimOf(id), owner, 'PX', CLAIM, 'NX')) === 'OK'
  }

  /** Stores a key whose id `owner` has claimed. Resolves with false, and changes nothing, if that claim has expired. */
  async add(key: StoredApiKey, owner: string): Promise<boolean> {
    return (await this.client.eval(ADD, 2, HASH, claimOf(key.id), owner, key.sha256, JSON.stringify(key))) === 1
  }

  /** Gives up a claim. */
  async release(id: string, owner: string): Promise<void> {
    await this.client.eval(RELEASE, 1, claimOf(id), owner)
  }

  /**
   * Atomically stores `next`, replaces `old` with `changed` and removes `ended`. Resolves with false, and changes nothing, if `old`
   * is no longer stored unchanged.
   */
  async replace(
    old: StoredApiKey,
    changed: StoredApiKey,
    next: StoredApiKey,
    ended: readonly StoredApiKey[],
  ): Promise<boolean> {
    const text = await this.read(old.sha256)
    if (text === null || JSON.stringify(parseApiKey(old.sha256, text)) !== JSON.stringify(old)) return false
    const texts = [old.sha256, text, JSON.stringify(changed), next.sha256, JSON.stringify(next)]
    return (await this.client.eval(REPLACE, 1, HASH, ...texts, ...ended.map(({ sha256 }) => sha256))) === 1
  }

  /** All valid keys, sorted by id; keys of the same id newest first. */
  async list(): Promise<StoredApiKey[]> {
    const keys = new Map<string, StoredApiKey>()
    let cursor = '0'
    do {
      const [next, page] = await this.client.hscan(HASH, cursor, 'COUNT', PAGE)
      for (const [i, digest] of page.entries()) {
        // Keys and values alternate.
        const key = i % 2 === 0 ? parseApiKey(digest, page[i + 1] ?? '') : null
        // HSCAN may return an entry twice if the hash grows during the scan.
        if (key !== null) keys.set(key.sha256, key)
      }
      cursor = next
    } while (cursor !== '0')
    return [...keys.values()].toSorted((a, b) => (a.id === b.id ? b.created - a.created : a.id < b.id ? -1 : 1))
  }

  /** Removes those keys. Resolves with how many of them existed. */
  async remove(keys: readonly StoredApiKey[]): Promise<number> {
    return keys.length === 0 ? 0 : this.client.hdel(HASH, ...keys.map(({ sha256 }) => sha256))
  }
}

/**
 * The stored key of a digest; null if the text is not a valid key or belongs to another digest, so that a mix-up on the connection
 * to Redis never grants somebody else's access.
 */
export function parseApiKey(sha256: string, text: string): StoredApiKey | null {
  const { success, data } = stored.safeParse(parseJson(text))
  if (!success || data.sha256.length !== Buffer.byteLength(sha256)) return null
  return timingSafeEqual(Buffer.from(data.sha256), Buffer.from(sha256)) ? data : null
}
