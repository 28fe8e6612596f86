import { knownLine } from '../../http/field-lines.ts'
import { type Headers, headersFromWire, wireOf } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import { Reply } from '../../http/reply.ts'
import { splitList } from './directives.ts'
import type { CacheEntry } from './store.ts'
import { parseHttpDate } from '../../http/http-date.ts'

/** What a client says about its own copy. */
export interface Conditions {
  readonly noneMatch: string | undefined
  readonly modifiedSince: string | undefined
}

export const CONDITIONS = new NameSet(['If-None-Match', 'If-Modified-Since'])

/** Headers that describe the content, which a 304 does not have (RFC 9110 section 15.4.5). */
const CONTENT = new NameSet(['Content-Type', 'Content-Encoding', 'Content-Language', 'Content-Range'])

/** Headers that a 304 does not update: the stored content depends on them (RFC 9111 section 3.2). */
const UNCHANGED = new NameSet(['Content-Length', 'Content-Encoding', 'Content-Range', 'Set-Cookie', 'Cache-Status'])

/** The headers for asking the service whether an entry is still valid, or "" if it has no validator. */
export function conditionLines({ etag, lastModified }: CacheEntry): string {
  const noneMatch = etag === null ? '' : knownLine('If-None-Match', etag)
  return lastModified === null ? noneMatch : noneMatch + knownLine('If-Modified-Since', lastModified)
}

/** Whether the client's copy is equivalent to the entry (RFC 9111 section 4.3.2). */
export function isNotModified(entry: CacheEntry, { noneMatch, modifiedSince }: Conditions, wall: number): boolean {
  if (entry.status !== 200) return false
  if (noneMatch !== undefined) {
    if (noneMatch === '*') return true
    const { etag } = entry
    return etag !== null && splitList(noneMatch).some((tag) => opaque(tag) === opaque(etag))
  }
  const since = parseHttpDate(modifiedSince, wall)
  return since !== null && entry.modified <= since
}

/** The 304 for a client whose copy is still valid. */
export function notModifiedReply(fields: string): Reply {
  return new Reply(304, headersFromWire(CONTENT.without(fields), true), null)
}

/** Whether a 304 refers to the entry that was asked about (RFC 9111 section 4.3.4). */
export function isAbout(entry: CacheEntry, headers: Headers): boolean {
  const etag = headers.get('ETag')
  return etag === undefined || etag.startsWith('W/') || etag === entry.etag
}

/** Whether the reply to a HEAD agrees with the entry, as far as it tells (RFC 9111 section 4.3.5). */
export function isUnchanged({ etag, lastModified, body }: CacheEntry, headers: Headers): boolean {
  const length = body === null ? undefined : String(body.length)
  return (
    (headers.get('ETag') ?? etag) === etag &&
    (headers.get('Last-Modified') ?? lastModified) === lastModified &&
    (headers.get('Content-Length') ?? length) === length
  )
}

/** The headers of an entry updated with those of a newer reply (RFC 9111 section 3.2). */
export function freshen(fields: string, update: Headers): Headers {
  const lines = UNCHANGED.without(wireOf(update))
  const names = Array.from(headersFromWire(lines), ([name]) => name)
  return headersFromWire(new NameSet(names).without(fields) + lines)
}

/** The tag without its weakness flag, for weak comparison (RFC 9110 section 8.8.3.2). */
function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}
