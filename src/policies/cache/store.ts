import type { Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import type { Counter } from '../../core/metrics.ts'
import type { FlightTable } from './memory/flight-table.ts'

/** Which requests a stored reply answers, among those for its URL (RFC 9111 section 4.1). */
export interface Variant {
  /** Names of the request headers that it was selected by, in lower case, and their normalized values. */
  readonly vary: readonly string[]
  readonly selecting: readonly string[]
  /** Its Content-Language in lower case, or null. */
  readonly language: string | null
}

/** A complete stored reply. Times are milliseconds of `clock.now()`, except for `date` and `modified`. */
export interface CacheEntry extends Variant {
  /** Host, path and query that it is for: used for invalidation. */
  readonly url: string
  readonly status: number
  /** Its headers as field lines, including Date, without Age. */
  readonly fields: string
  readonly body: Bytes | null
  /** When its age was 0. */
  readonly born: number
  /** The age up to which it is fresh. */
  readonly lifetime: number
  /** How much longer it may be used while a new one is fetched (RFC 5861 section 3), or if none can be fetched (section 4). */
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  /** Whether it may be used stale if the client allows that (RFC 9111 section 5.2.1.2). */
  readonly maxStale: boolean
  /** The service did not say that it may be shared: it is not used for requests that may be personal. */
  readonly guessed: boolean
  readonly etag: string | null
  readonly lastModified: string | null
  /** Wall-clock times of Date and Last-Modified; if there is no Last-Modified, Date is used for both. */
  readonly date: number
  readonly modified: number
  /** Cache groups (RFC 9875), each prefixed by the host. */
  readonly groups: readonly string[]
  /** Its size in bytes. */
  readonly size: number
}

/** Why there is no match: nothing is stored for that key, or only for other values of the headers in Vary (RFC 9211 section 2.2). */
export type Missing = 'uri-miss' | 'vary-miss'

/** What a store holds in the memory of its thread. */
export interface CacheUsage {
  readonly entries: number
  /** Approximate bytes. */
  readonly bytes: number
}

/** Whether a store takes an entry, as far as is known: 'maybe' if its last answer was late, so that an entry is worth a try. */
export type CacheAcceptance = 'yes' | 'maybe' | 'no'

/** A store for replies. Failures to store or find an entry are misses, never errors. */
export interface CacheStore {
  /** The newest entry of a key that answers a request with these headers. */
  find(url: string, key: string, request: Headers): CacheEntry | Missing | Promise<CacheEntry | Missing>
  /** The same without side effects, for read-only lookups. */
  peek(url: string, key: string, request: Headers): CacheEntry | Missing | Promise<CacheEntry | Missing>
  /**
   * Stores an entry, replacing the one of the key with the same selecting values, unless it was invalidated after `begun`: when the
   * service was asked for it, in milliseconds of `clock.now()`. Returns whether it is stored; if that takes time, a promise that
   * resolves when it is done, successful or not.
   */
  put(key: string, entry: CacheEntry, begun: number): boolean | Promise<void>
  /** Removes one entry of a key. */
  remove(key: string, entry: CacheEntry): void
  /**
   * Removes all entries of a URL, and of every group that one of them is in (RFC 9875 section 2.2.1). Returns how many entries were
   * removed.
   */
  invalidate(url: string): number | Promise<number>
  /** Removes all entries of a group. Returns how many entries were removed. */
  invalidateGroup(group: string): number | Promise<number>
  /** Removes all entries whose URL begins with the prefix. Returns how many entries were removed. */
  invalidatePrefix(prefix: string): number | Promise<number>
  /**
   * Takes over the entries of these routes from another store, except those already here; from now on the routes' replies are stored
   * here.
   */
  adopt(former: CacheStore, routes: ReadonlySet<string>): void
  /** What it holds in the memory of its thread; null for memory shared by the threads. */
  usage(): CacheUsage | null
  /** False while it is known to store nothing: then no request waits for a reply to another one. */
  readonly isWritable: boolean
  /** Whether it takes an entry now. One that it does not take is counted as done without the store. */
  accepts(): CacheAcceptance
  /** Size of the largest body, in bytes, that it stores with that entry, which has none yet; negative if it does not even store the entry. */
  maxBody(key: string, entry: CacheEntry): number
  /** What other threads of the process are fetching for it; null if threads do not share that. */
  readonly flightTable: FlightTable | null
  /** Called when it is no longer used. */
  close(): void
}

/** Creates a store that uses up to `memory` bytes in the process; `evictions` counts evicted entries. */
export type MakeCacheStore = (memory: number, evictions: Counter) => CacheStore
