import type { Bytes } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import { type ReplyControl, fieldsOf } from './directives.ts'
import type { CacheEntry } from './store.ts'
import { OVERHEAD } from './entry.ts'
import { type Arrival, type Freshness, initialAge } from './freshness.ts'
import { parseHttpDate } from '../../http/http-date.ts'
import { groupsOf } from './invalidation.ts'
import { selectingValues } from './vary.ts'

/** Headers that are not stored: Age is computed, and the others only apply to one hop (RFC 9111 section 3.1). */
const NOT_KEPT = [
  'Age',
  'Proxy-Authenticate',
  'Proxy-Authentication-Info',
  'Proxy-Authorization',
  'Cache-Group-Invalidation',
]

const ALWAYS = new NameSet(NOT_KEPT)

/** A reply that may be stored, and when it arrived; `now` is the monotonic time of arrival. */
export interface Storable {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly control: ReplyControl
  readonly freshness: Freshness
  readonly vary: readonly string[]
  readonly arrival: Arrival
  readonly now: number
}

/** Creates the entry of a reply, without its body. */
export function makeEntry(exchange: Exchange, storable: Storable): CacheEntry {
  const { url, status, headers, control, freshness, vary, arrival, now } = storable
  const { directives } = control
  const named = [...fieldsOf(directives, 'no-cache'), ...fieldsOf(directives, 'private')]
  const dropped = named.length === 0 ? ALWAYS : new NameSet([...NOT_KEPT, ...named])
  const fields = ownText(dropped.without(headers.toWire()))
  const selecting = selectingValues(vary, exchange.headers).map(ownText)
  const date = parseHttpDate(headers.get('Date'), arrival.wall) ?? arrival.wall
  const [etag, lastModified] = [ownOrNull(headers.get('ETag')), ownOrNull(headers.get('Last-Modified'))]
  return {
    url,
    status,
    fields,
    body: null,
    born: now - initialAge(headers, arrival),
    ...freshness,
    etag,
    lastModified,
    date,
    modified: parseHttpDate(lastModified ?? undefined, arrival.wall) ?? date,
    vary,
    selecting,
    language: ownOrNull(headers.combined('Content-Language')?.toLowerCase()),
    groups: groupsOf(exchange.host, headers, 'Cache-Groups').map(ownText),
    size: OVERHEAD + fields.length * 2 + url.length * 3 + selecting.join('').length,
  }
}

/** An entry that was made without a body, with one. */
export function withBody(entry: CacheEntry, body: Bytes | null): CacheEntry {
  return body === null ? entry : { ...entry, body, size: entry.size + body.length }
}

/** Copies the text: a substring would keep its whole parent in memory, here the heads of the request and the reply. */
function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function ownOrNull(text: string | undefined): string | null {
  return text === undefined ? null : ownText(text)
}
