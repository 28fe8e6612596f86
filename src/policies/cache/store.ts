import type { Entry } from './entry.ts'

/** Where stored replies live. What it cannot keep or find is a miss, never an error. */
export interface CacheStore {
  /** The entries of a key, the newest first; to read only. */
  find(key: string): readonly Entry[] | Promise<readonly Entry[]>
  /** Keeps an entry, in place of the one of the key with the same selecting values. */
  put(key: string, entry: Entry): void
  /** Forgets one entry of a key. */
  remove(key: string, entry: Entry): void
  /** Forgets all entries of a URL, and of every group that one of them is in (RFC 9875 section 2.2.1); how many it were. */
  invalidate(url: string): number | Promise<number>
  /** Forgets all entries of a group; how many it were. */
  invalidateGroup(group: string): number | Promise<number>
  /** Forgets all entries whose URL begins so; how many it were. */
  invalidatePrefix(prefix: string): number | Promise<number>
}
