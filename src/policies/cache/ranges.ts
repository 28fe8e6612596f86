import { Bytes } from '../../http/body.ts'
import { headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import type { CacheEntry } from './store.ts'
import { deliver } from './stored-body.ts'

const ONE_RANGE = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i

/**
 * The part of a stored reply that a Range field asks for: 206, or 416 where there is no such part (RFC 9110 section
 * 14). Null where the whole reply is to be sent: several ranges, another unit, or an If-Range that does not hold.
 */
export function rangeReply(
  entry: CacheEntry,
  range: string,
  ifRange: string | undefined,
  fields: string,
): Reply | null {
  if (entry.status !== 200 || entry.body === null || (ifRange !== undefined && !holds(entry, ifRange))) return null
  const [match, first = '', last = ''] = ONE_RANGE.exec(range) ?? []
  if (match === undefined) return null
  const { length } = entry.body
  const part = partOf(first, last, length)
  if (part === null) return null
  const headers = headersFromWire(fields, true)
  const [start, end] = part
  if (start >= end) {
    headers.set('Content-Range', `bytes */${length}`)
    return new Reply(416, headers, Bytes.fromLatin1(''))
  }
  headers.set('Content-Range', `bytes ${start}-${end - 1}/${length}`)
  return new Reply(206, headers, deliver(Bytes.fromBuffer(entry.body.toBuffer().subarray(start, end))))
}

/** From and up to where, exclusively; null for a range that is none. */
function partOf(first: string, last: string, length: number): [start: number, end: number] | null {
  if (first === '') return last === '' ? null : [Math.max(0, length - Number(last)), length]
  const start = Number(first)
  if (last === '') return [start, length]
  return Number(last) < start ? null : [start, Math.min(Number(last) + 1, length)]
}

/** RFC 9110 section 13.1.5: only a strong validator says that the octets are the same. */
function holds(entry: CacheEntry, ifRange: string): boolean {
  if (ifRange.startsWith('"')) return ifRange === entry.etag
  return ifRange === entry.lastModified && entry.date - entry.modified >= 1000
}
