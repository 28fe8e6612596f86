import type { Bytes } from '../../core/body.ts'
import { Headers } from '../../core/headers.ts'
import { Reply } from '../../core/reply.ts'
import { deliver } from './stored-body.ts'

/** A stored reply, complete: what a store keeps. Times are milliseconds; those of `clock.now()` but for `date` and `modified`. */
export interface Entry {
  /** Host, path and query it answers for: what invalidation goes by. */
  readonly url: string
  readonly status: number
  /** Its header fields, each "Name: value\r\n", Date among them, without Age. */
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
  readonly etag: string | null
  readonly lastModified: string | null
  /** Wall-clock times of Date and Last-Modified; the former in place of the latter where there is none. */
  readonly date: number
  readonly modified: number
  /** Names of request fields that it was selected by, in lower case, and what they said, in their one form. */
  readonly vary: readonly string[]
  readonly selecting: readonly string[]
  /** Its Content-Language in lower case, or null. */
  readonly language: string | null
  /** Cache groups (RFC 9875), each with the host before it. */
  readonly groups: readonly string[]
  /** Octets it takes. */
  readonly size: number
}

/** What an object of a store takes besides its texts, in octets; about right. */
export const OVERHEAD = 600

/** Heads of hits, as they are for the current second. */
const heads = new WeakMap<Entry, { age: number; fields: string }>()

/** Whole seconds since it was made (RFC 9111 section 4.2.3). */
export function ageOf(entry: Entry, now: number): number {
  return Math.max(0, Math.floor((now - entry.born) / 1000))
}

/** Seconds that it stays fresh; below 0 once it is stale. */
export function ttlOf(entry: Entry, now: number): number {
  return Math.floor((entry.lifetime - (now - entry.born)) / 1000)
}

export function isFresh(entry: Entry, now: number): boolean {
  return now - entry.born < entry.lifetime
}

/** Its fields with Age and the Cache-Status of a hit; the same text for all hits within a second. */
function hitFields(entry: Entry, now: number): string {
  const age = ageOf(entry, now)
  let head = heads.get(entry)
  if (head === undefined || head.age !== age) {
    head = { age, fields: `${entry.fields}Age: ${age}\r\nCache-Status: sallyport; hit; ttl=${ttlOf(entry, now)}\r\n` }
    heads.set(entry, head)
  }
  return head.fields
}

/** The reply of a plain hit (RFC 9111 section 4). */
export function hitReply(entry: Entry, now: number): Reply {
  return new Reply(entry.status, Headers.fromWire(hitFields(entry, now), true), deliver(entry.body))
}
