import { Bytes } from '../../http/body.ts'
import { headersFromWire } from '../../http/headers.ts'
import { contentRange, partOf } from '../../http/range.ts'
import { Reply } from '../../http/reply.ts'
import type { CacheEntry } from './store.ts'
import { AT_ONCE, type BodySender } from './stored-body.ts'

/**
 * The part of a stored reply that a Range header asks for: 206, or 416 if there is no such part (RFC 9110 section 14). Null if the
 * whole reply is to be sent: for several ranges, another unit, or an If-Range condition that is false.
 */
export function rangeReply(
  entry: CacheEntry,
  range: string,
  ifRange: string | undefined,
  fields: string,
  client: string,
  sender: BodySender,
): Reply | null {
  if (entry.status !== 200 || entry.body === null || (ifRange !== undefined && !holds(entry, ifRange))) return null
  const { length } = entry.body
  const part = partOf(range, length)
  if (part === null) return null
  const headers = headersFromWire(fields, true)
  headers.set('Content-Range', contentRange(part, length))
  const { start, end } = part
  if (start >= end) return new Reply(416, headers, Bytes.fromLatin1(''))
  const bytes = Bytes.fromBuffer(entry.body.toBuffer().subarray(start, end))
  // A small part is copied, so that it does not keep the whole body in memory for a slow client.
  return new Reply(206, headers, sender.prepare(end - start <= AT_ONCE ? bytes.detached() : bytes, client))
}

/** RFC 9110 section 13.1.5: only a strong validator guarantees identical bytes. */
function holds(entry: CacheEntry, ifRange: string): boolean {
  if (ifRange.startsWith('"')) return ifRange === entry.etag
  return ifRange === entry.lastModified && entry.date - entry.modified >= 1000
}
