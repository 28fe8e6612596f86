import { parseJson } from '../../../../core/parse-json.ts'
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { StoredApiKey } from '../api-key-store.ts'
import type { RedisClient } from '../../../../redis/client.ts'

/** The hash that holds all keys: digest -> the key as JSON. One Redis key, so every change is whole in a Cluster too. */
export const HASH = 'sallyport:api-keys'
/** About how many keys are read at a time, so that a long list does not hold up Redis. */
const PAGE = '200'

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

  /** All keys that can be read, by their ids. */
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
    return [...keys.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Takes every key of that id out, and says how many there were. */
  async remove(id: string): Promise<number> {
    const found = (await this.list()).filter((key) => key.id === id)
    if (found.length === 0) return 0
    return this.client.hdel(HASH, ...found.map(({ sha256 }) => sha256))
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
