import type { CacheEntry } from './store.ts'
import { knownLine } from '../../http/field-lines.ts'
import type { Exchange } from '../../http/exchange.ts'
import { headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { statusLine } from './cache-status.ts'
import type { BodySender } from './stored-body.ts'

/** Approximate memory of an entry in addition to its texts, in bytes. */
export const OVERHEAD = 1000

/** Heads of hits for the current second. */
const heads = new WeakMap<CacheEntry, { age: number; fields: string }>()

/** Age in whole seconds (RFC 9111 section 4.2.3). */
export function ageOf(entry: CacheEntry, now: number): number {
  return Math.max(0, Math.floor((now - entry.born) / 1000))
}

/** The Age header line for that age. */
export function ageLine(age: number): string {
  return knownLine('Age', String(age))
}

/** Seconds that it remains fresh; negative once it is stale. */
export function ttlOf(entry: CacheEntry, now: number): number {
  return Math.floor((entry.lifetime - (now - entry.born)) / 1000)
}

export function isFresh(entry: CacheEntry, now: number): boolean {
  return now - entry.born < entry.lifetime
}

/** Its headers with Age and the Cache-Status of a hit; the same text for all hits within a second. */
function hitFields(entry: CacheEntry, age: number, now: number): string {
  let head = heads.get(entry)
  if (head === undefined || head.age !== age) {
    const status = statusLine(`sallyport; hit; ttl=${ttlOf(entry, now)}`)
    head = { age, fields: `${entry.fields}${ageLine(age)}${status}` }
    heads.set(entry, head)
  }
  return head.fields
}

/** The reply of a plain hit to a client (RFC 9111 section 4). */
export function hitReply(entry: CacheEntry, exchange: Exchange, sender: BodySender, now: number): Reply {
  const age = ageOf(entry, now)
  exchange.storedAge = age
  const headers = headersFromWire(hitFields(entry, age, now), true)
  return new Reply(entry.status, headers, sender.prepare(entry.body, exchange.client.address))
}
