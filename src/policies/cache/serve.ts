import { headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import type { CacheEntry } from './store.ts'
import { statusLine } from './cache-status.ts'
import { ageLine, ttlOf } from './entry.ts'
import { rangeReply } from './ranges.ts'
import type { RequestControl } from './request-control.ts'
import type { BodySender } from './stored-body.ts'
import { isNotModified, notModifiedReply } from './validation.ts'

/**
 * A stored reply in the form that the request asks for: whole, a part of it, or a 304 if the client already has it. `status` is its
 * Cache-Status line, by default that of a hit; `wall` is the wall-clock time in milliseconds.
 */
export function serveHit(
  entry: CacheEntry,
  request: RequestControl,
  client: string,
  sender: BodySender,
  now: number,
  wall: number,
  status = statusLine(`sallyport; hit; ttl=${ttlOf(entry, now)}`),
): Reply {
  const fields = `${entry.fields}${ageLine(entry, now)}${status}`
  if (isNotModified(entry, request, wall)) return notModifiedReply(fields)
  const part =
    request.range === undefined ? null : rangeReply(entry, request.range, request.ifRange, fields, client, sender)
  return part ?? new Reply(entry.status, headersFromWire(fields, true), sender.prepare(entry.body, client))
}

/** The Cache-Status line of an entry that is served although it is stale, while it is revalidated (RFC 5861 section 3). */
export function staleLine(entry: CacheEntry, now: number): string {
  return statusLine(`sallyport; hit; ttl=${ttlOf(entry, now)}; detail=stale-while-revalidate`)
}
