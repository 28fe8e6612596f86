import type { Bytes } from '../../http/body.ts'
import type { Headers } from '../../http/headers.ts'
import type { Counter } from '../../core/metrics.ts'
import type { FlightBoard } from './memory/flight-board.ts'

/** Which requests a stored reply answers, of those for its URL (RFC 9111 section 4.1). */
export interface Variant {
  /** Names of request fields that it was selected by, in lower case, and what they said, in their one form. */
  readonly vary: readonly string[]
  readonly selecting: readonly string[]
  /** Its Content-Language in lower case, or null. */
  readonly language: string | null
}

/** A stored reply, complete: what a store keeps. Times are milliseconds; those of `clock.now()` but for `date` and `modified`. */
export interface CacheEntry extends Variant {
  /** Host, path and query it answers for: what invalidation goes by. */
  readonly url: string
  readonly status: number
  /** Its header fields, as field lines, Date among them, without Age. */
  readonly fields: string
  readonly body: Bytes | null
  /** When its age was 0. */
  readonly born: number
  /** Until what age it is fresh. */
  readonly lifetime: number
  /** For how long after that it may be used while a new one is fetched (RFC 5861 section 3), or when none is to be had (section 4). */
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  /** It may be used stale if the client allows that (RFC 9111 section 5.2.1.2). */
  readonly maxStale: boolean
  /** The service did not say that it may be given to others: it is not for requests that may be personal. */
  readonly guessed: boolean
  readonly etag: string | null
  readonly lastModified: string | null
  /** Wall-clock times of Date and Last-Modified; the former in place of the latter where there is none. */
  readonly date: number
  readonly modified: number
  /** Cache groups (RFC 9875), each with the host before it. */
  readonly groups: readonly string[]
  /** Octets it takes. */
  readonly size: number
}

/** Nothing that answers: nothing is stored for that key, or only for other values of the fields in Vary (RFC 9211 section 2.2). */
export type Missing = 'uri-miss' | 'vary-miss'

/** What a store holds in the memory of its thread. */
export interface CacheUsage {
  readonly entries: number
  /** Octets, about. */
  readonly bytes: number
}

/** Where stored replies live. What it cannot keep or find is a miss, never an error. */
export interface CacheStore {
  /** The newest entry of a key that answers a request with those fields. */
  find(url: string, key: string, request: Headers): CacheEntry | Missing | Promise<CacheEntry | Missing>
  /** The same, and leaves no trace: it is for those who only look. */
  peek(url: string, key: string, request: Headers): CacheEntry | Missing | Promise<CacheEntry | Missing>
  /**
   * Keeps an entry, in place of the one of the key with the same selecting values, unless it was made invalid after `begun`: when
   * the service was asked for it, in milliseconds of `clock.now()`. Where it is a promise, the entry can be found once that is resolved.
   */
  put(key: string, entry: CacheEntry, begun: number): void | Promise<void>
  /** Forgets one entry of a key. */
  remove(key: string, entry: CacheEntry): void
  /** Forgets all entries of a URL, and of every group that one of them is in (RFC 9875 section 2.2.1); how many it were. */
  invalidate(url: string): number | Promise<number>
  /** Forgets all entries of a group; how many it were. */
  invalidateGroup(group: string): number | Promise<number>
  /** Forgets all entries whose URL begins so; how many it were. */
  invalidatePrefix(prefix: string): number | Promise<number>
  /** Takes over what the other one has of those routes, whose replies are kept here from now on, as far as that is not here already. */
  adopt(former: CacheStore, routes: ReadonlySet<string>): void
  /** What it holds in the memory of its thread; null for what threads have in common. */
  usage(): CacheUsage | null
  /** What other threads of the process fetch for it; null where they do not tell. */
  readonly board: FlightBoard | null
  /** Nobody uses it any more. */
  close(): void
}

/** Makes a store that takes so many octets of memory in the process: `evictions` counts those that make room for others. */
export type MakeCacheStore = (memory: number, evictions: Counter) => CacheStore
