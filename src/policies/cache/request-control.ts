import type { Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import { millisecondsOf, parseDirectives } from './directives.ts'
import type { CacheEntry } from './store.ts'
import { isFresh } from './entry.ts'
import type { Conditions } from './validation.ts'

/** What a request says about how it may be answered. */
export interface RequestControl extends Conditions {
  readonly range: string | undefined
  readonly ifRange: string | undefined
  /** It has preconditions that only the service can evaluate (RFC 9111 section 4.3.2). */
  readonly preconditions: boolean
  readonly noCache: boolean
  readonly noStore: boolean
  readonly onlyIfCached: boolean
  /** Milliseconds, or null if not given. */
  readonly maxAge: number | null
  readonly minFresh: number
  readonly maxStale: number
}

/** Request headers that determine what may be answered from the store. */
export const REQUEST_FIELDS = [
  'Cache-Control',
  'If-None-Match',
  'If-Modified-Since',
  'If-Match',
  'If-Unmodified-Since',
  'If-Range',
  'Range',
]

const FIELDS = new NameSet(REQUEST_FIELDS)

/** A request without any of these headers. */
export const PLAIN: RequestControl = {
  noneMatch: undefined,
  modifiedSince: undefined,
  range: undefined,
  ifRange: undefined,
  preconditions: false,
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAge: null,
  minFresh: 0,
  maxStale: 0,
}

/** Parses the request headers; `heeded` says whether its Cache-Control counts (RFC 9111 section 5.2.1). */
export function readRequest(headers: Headers, method: string, heeded: boolean): RequestControl {
  const fields = headers.toWire()
  // One pass over the headers instead of one per name: most requests have none of them.
  if (FIELDS.without(fields) === fields) return PLAIN
  const directives = parseDirectives(heeded ? headers.combined('Cache-Control') : undefined)
  return {
    noneMatch: headers.combined('If-None-Match'),
    modifiedSince: headers.get('If-Modified-Since'),
    range: method === 'GET' ? headers.combined('Range') : undefined,
    ifRange: headers.get('If-Range'),
    preconditions: headers.has('If-Match') || headers.has('If-Unmodified-Since'),
    noCache: directives.has('no-cache'),
    noStore: directives.has('no-store'),
    onlyIfCached: directives.has('only-if-cached'),
    maxAge: millisecondsOf(directives, 'max-age'),
    minFresh: millisecondsOf(directives, 'min-fresh') ?? 0,
    // Without an argument any age is acceptable (section 5.2.1.2).
    maxStale: directives.get('max-stale') === null ? Infinity : (millisecondsOf(directives, 'max-stale') ?? 0),
  }
}

/** Whether the entry may be used without asking the service. */
export function isUsable(entry: CacheEntry, request: RequestControl, now: number): boolean {
  if (request === PLAIN) return isFresh(entry, now)
  const { noCache, noStore, maxAge, minFresh, maxStale } = request
  const age = now - entry.born
  if (noCache || noStore || (maxAge !== null && age > maxAge)) return false
  const left = entry.lifetime - age
  return left > minFresh || (entry.maxStale && left + maxStale > minFresh)
}

/** Whether other requests may wait for the reply to this one: it must be for the whole resource, without conditions. */
export function isShareable(request: RequestControl): boolean {
  const { noneMatch, modifiedSince, range, preconditions, noStore } = request
  return noneMatch === undefined && modifiedSince === undefined && range === undefined && !preconditions && !noStore
}
