import { Bytes } from '../../http/body.ts'
import { type Part, partOf } from '../../http/range.ts'
import type { RequestControl } from './request-control.ts'
import type { CacheEntry } from './store.ts'
import { AT_ONCE } from './stored-body.ts'

/**
 * The part of a stored body that a Range header asks for (RFC 9110 section 14). Null if the whole reply is to be sent: without such a
 * header, for several ranges, another unit, or an If-Range condition that is false.
 */
export function requestedPart(entry: CacheEntry, body: Bytes, { range, ifRange }: RequestControl): Part | null {
  if (range === undefined || entry.status !== 200 || (ifRange !== undefined && !holds(entry, ifRange))) return null
  return partOf(range, body.length)
}

/** Whether a part of a body is small enough to be copied, so that it does not keep the whole body in memory for a slow client. */
export function isCopied({ start, end }: Part): boolean {
  return end - start <= AT_ONCE
}

/** A part of a body. */
export function bytesOf(body: Bytes, part: Part): Bytes {
  const bytes = Bytes.fromBuffer(body.toBuffer().subarray(part.start, part.end))
  return isCopied(part) ? bytes.detached() : bytes
}

/** RFC 9110 section 13.1.5: only a strong validator guarantees identical bytes. */
function holds(entry: CacheEntry, ifRange: string): boolean {
  if (ifRange.startsWith('"')) return ifRange === entry.etag
  return ifRange === entry.lastModified && entry.date - entry.modified >= 1000
}
