import { parseJson } from '../../../../core/parse-json.ts'
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { StoredApiKey } from '../api-key-store.ts'
import type { RedisClient } from '../../../../redis/client.ts'

/** The hash that holds all keys: digest -> the key as JSON. One Redis key, so every change is whole in a Cluster too. */
export const HASH = 'sallyport:api-keys'
/** About how many keys are read at a time, so that a long list does not hold up Redis. */
const PAGE = '200'

/**
 * KEYS: the hash. ARGV: digest of the old key, its text, the text that it is to have, digest and text of the new key, digests to take out.
 * Reply: 1; 0 where the old key is not what it was, as one that was revoked, and nothing was done.
 */
const REPLACE = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
for i = 6, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 1
`

/** Wall-clock milliseconds that a date can have (ECMA-262 section 21.4.1.1). */
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

/** API keys in Redis. Every method rejects with whatever keeps Redis from answering. */
export class RedisApiKeys {
  private readonly client: RedisClient

  constructor(client: RedisClient) {
    this.client = client
  }

  /** What is kept under the digest, to be read by `parseApiKey`; null for nothing. */
  read(sha256: string): Promise<string | null> {
    return this.client.hget(HASH, sha256)
  }

  /** Keeps a key. */
  async add(key: StoredApiKey): Promise<void> {
    await this.client.hset(HASH, key.sha256, JSON.stringify(key))
  }

  /**
   * Keeps `next` beside `old`, which becomes `changed`, and takes `ended` out, in one go. False, and nothing is done, where `old` is not
   * there as it was.
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

  /** All keys that can be read, by their ids; of one id the newest first. */
  async list(): Promise<StoredApiKey[]> {
    const keys = new Map<string, StoredApiKey>()
    let cursor = '0'
    do {
      const [next, page] = await this.client.hscan(HASH, cursor, 'COUNT', PAGE)
      for (const [i, digest] of page.entries()) {
        // Keys and values take turns.
        const key = i % 2 === 0 ? parseApiKey(digest, page[i + 1] ?? '') : null
        // A hash that grows meanwhile may show an entry twice.
        if (key !== null) keys.set(key.sha256, key)
      }
      cursor = next
    } while (cursor !== '0')
    return [...keys.values()].toSorted((a, b) => (a.id === b.id ? b.created - a.created : a.id < b.id ? -1 : 1))
  }

  /** Takes those keys out, and says how many of them there were. */
  async remove(keys: readonly StoredApiKey[]): Promise<number> {
    return keys.length === 0 ? 0 : this.client.hdel(HASH, ...keys.map(({ sha256 }) => sha256))
  }
}

/**
 * The key of a digest as it is kept; null where that is no key, or another one: whatever goes wrong on the way to Redis,
 * nobody gets somebody else's.
 */
export function parseApiKey(sha256: string, text: string): StoredApiKey | null {
  const { success, data } = stored.safeParse(parseJson(text))
  if (!success || data.sha256.length !== Buffer.byteLength(sha256)) return null
  return timingSafeEqual(Buffer.from(data.sha256), Buffer.from(sha256)) ? data : null
}
