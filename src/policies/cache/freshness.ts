import type { Headers } from '../../http/headers.ts'
import { millisecondsOf, type ReplyControl, saysWhole } from './directives.ts'
import { parseHttpDate } from '../../http/http-date.ts'

/** RFC 9110 section 15.1: statuses that may be cached heuristically. 206 is left out, as parts are not stored. */
const HEURISTIC = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])

/** Those that are stored for `ttl`: the ones that describe the resource rather than the request. */
const UNSPOKEN = new Set([200, 203, 204, 300, 301, 308, 404, 410])

/** RFC 9111 section 4.2.2 in effect recommends an upper limit: a day. */
const MAX_HEURISTIC = 86_400_000

/** Freshness settings of the configuration; times in milliseconds. */
export interface FreshnessOptions {
  readonly ttl: number
  readonly heuristic: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

/** How long a reply may be used; times in milliseconds. */
export interface Freshness {
  readonly lifetime: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  readonly maxStale: boolean
  /** The service gave no directives, not even that the reply is public: the lifetime is a guess. */
  readonly guessed: boolean
}

/** When a reply arrived, and how long it took. */
export interface Arrival {
  /** Wall-clock time in milliseconds. */
  readonly wall: number
  /** Milliseconds from the request to the reply. */
  readonly delay: number
}

/** The age of a reply on arrival, in milliseconds (RFC 9111 section 4.2.3). */
export function initialAge(headers: Headers, { wall, delay }: Arrival): number {
  const date = parseHttpDate(headers.get('Date'), wall) ?? wall
  // The first of several values counts, and a value that is not a number is ignored (RFC 9111 section 5.1).
  const [ageValue = ''] = (headers.get('Age') ?? '').split(',')
  const age = /^\s*\d+\s*$/.test(ageValue) ? Number(ageValue) * 1000 : 0
  // Date has whole seconds: the elapsed fraction of the current second does not count as age.
  return Math.max(0, wall - (wall % 1000) - date, age + delay)
}

/** How long the reply is fresh, and may be used when stale; null if neither the reply nor the configuration says so. */
export function freshnessOf(
  status: number,
  headers: Headers,
  control: ReplyControl,
  wall: number,
  options: FreshnessOptions,
): Freshness | null {
  const { directives } = control
  const spoken = explicitLifetime(headers, control, wall)
  const lifetime = spoken ?? unspokenLifetime(status, headers, control, wall, options)
  if (lifetime === null) return null
  // RFC 9111 section 4.2.4; s-maxage implies proxy-revalidate, but not if the service itself says how stale the reply may be.
  const noCache = saysWhole(directives, 'no-cache')
  const strict = noCache || directives.has('must-revalidate') || directives.has('proxy-revalidate')
  const shared = directives.has('s-maxage')
  const allowed = (name: string, fallback: number): number =>
    strict ? 0 : (millisecondsOf(directives, name) ?? (shared ? 0 : fallback))
  return {
    lifetime: noCache ? 0 : lifetime,
    staleWhileRevalidate: allowed('stale-while-revalidate', options.staleWhileRevalidate),
    staleIfError: allowed('stale-if-error', options.staleIfError),
    maxStale: !strict && !shared,
    guessed: spoken === null && !directives.has('public'),
  }
}

/** RFC 9111 section 4.2.1, for a shared cache. */
function explicitLifetime(headers: Headers, { directives, targeted }: ReplyControl, wall: number): number | null {
  const maxAge = millisecondsOf(directives, 's-maxage') ?? millisecondsOf(directives, 'max-age')
  if (maxAge !== null || targeted) return maxAge
  const expires = headers.combined('Expires')
  if (expires === undefined) return null
  const date = parseHttpDate(headers.get('Date'), wall) ?? wall
  return Math.max(0, (parseHttpDate(expires, wall) ?? date) - date)
}

function unspokenLifetime(
  status: number,
  headers: Headers,
  { directives }: ReplyControl,
  wall: number,
  { ttl, heuristic }: FreshnessOptions,
): number | null {
  if (!HEURISTIC.has(status) && !directives.has('public')) return null
  if (ttl > 0 && UNSPOKEN.has(status)) return ttl
  const modified = parseHttpDate(headers.get('Last-Modified'), wall)
  if (modified === null) return 0
  const date = parseHttpDate(headers.get('Date'), wall) ?? wall
  return Math.min(Math.max(0, date - modified) * heuristic, MAX_HEURISTIC)
}
