import type { Clock } from '../../core/clock.ts'
import { Bytes } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import { headersFromWire } from '../../http/headers.ts'
import { contentRange } from '../../http/range.ts'
import { Reply } from '../../http/reply.ts'
import type { CacheEntry } from './store.ts'
import { statusLine } from './cache-status.ts'
import { ageLine, ageOf, ttlOf } from './entry.ts'
import { bytesOf, isCopied, requestedPart } from './ranges.ts'
import type { RequestControl } from './request-control.ts'
import type { BodySender } from './stored-body.ts'
import { isNotModified, notModifiedReply } from './validation.ts'

/** What is needed to serve stored replies. */
export interface ServeTools {
  readonly sender: BodySender
  readonly clock: Clock
}

/**
 * A stored reply in the form that the request asks for: whole, a part of it (206, or 416 if there is no such part), or a 304 if the
 * client already has it. `status` is its Cache-Status line; null for that of a hit.
 */
export function serveHit(
  { sender, clock }: ServeTools,
  exchange: Exchange,
  entry: CacheEntry,
  request: RequestControl,
  status: string | null,
): Reply {
  const now = clock.now()
  const age = ageOf(entry, now)
  exchange.storedAge = age
  const fields = `${entry.fields}${ageLine(age)}${status ?? statusLine(`sallyport; hit; ttl=${ttlOf(entry, now)}`)}`
  if (isNotModified(entry, request, clock.wall())) return notModifiedReply(fields)
  const { body } = entry
  const headers = headersFromWire(fields, true)
  const part = body === null ? null : requestedPart(entry, body, request)
  if (body === null || part === null)
    return new Reply(entry.status, headers, sender.prepare(body, exchange.client.address))
  headers.set('Content-Range', contentRange(part, body.length))
  if (part.start >= part.end) return new Reply(416, headers, Bytes.fromLatin1(''))
  return new Reply(206, headers, sender.prepare(bytesOf(body, part), exchange.client.address))
}

/** Whether there is room in memory for what the client gets of the entry, while that is sent. */
export function hasRoom(
  { sender, clock }: ServeTools,
  { client, method }: Exchange,
  entry: CacheEntry,
  request: RequestControl,
): boolean {
  const { body } = entry
  if (body === null || sender.hasRoomFor(body, client.address) || method === 'HEAD') return true
  if (isNotModified(entry, request, clock.wall())) return true
  const part = requestedPart(entry, body, request)
  return part !== null && isCopied(part)
}

/** The Cache-Status line of an entry that is served although it is stale, while it is revalidated (RFC 5861 section 3). */
export function staleLine(entry: CacheEntry, now: number): string {
  return statusLine(`sallyport; hit; ttl=${ttlOf(entry, now)}; detail=stale-while-revalidate`)
}
