import { STATUS_CODES } from 'node:http'
import type { Exchange } from '../../http/exchange.ts'
import { hasAnyOf, type Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import { essence } from '../media-types.ts'
import { type ReplyControl, saysWhole } from './directives.ts'
import type { Freshness } from './freshness.ts'

/** Which callers may share a stored reply. */
export const shares = ['public', 'everyone', 'role', 'consumer'] as const

export type Share = (typeof shares)[number]

/** Storage settings of the configuration. */
export interface StorableOptions {
  readonly share: Share
  readonly setCookie: boolean
}

/** Why a reply is not stored, for Cache-Status; null if it may be (RFC 9111 section 3). */
export function whyNotStored(
  exchange: Exchange,
  status: number,
  headers: Headers,
  { directives }: ReplyControl,
  freshness: Freshness | null,
  options: StorableOptions,
): string | null {
  if (status < 200 || status === 206 || status === 304) return 'status'
  const understands = directives.has('must-understand')
  if (understands && STATUS_CODES[status] === undefined) return 'must-understand'
  if (!understands && directives.has('no-store')) return 'no-store'
  if (saysWhole(directives, 'private')) return 'private'
  if (isStream(headers)) return 'stream'
  if (showsWhose(exchange, options.share) && !isForAll(directives)) return 'authorization'
  if (!options.setCookie && headers.has('Set-Cookie')) return 'set-cookie'
  if (freshness === null) return 'no-freshness'
  if (freshness.guessed && mayBePersonal(exchange, options.share))
    return exchange.headers.has('Cookie') ? 'cookie' : 'personal'
  if (freshness.lifetime === 0 && !headers.has('ETag') && !headers.has('Last-Modified')) return 'no-freshness'
  return null
}

/** Whether the request identifies its caller although the reply would be shared with others (section 3.5). */
function showsWhose({ consumer, headers }: Exchange, share: Share): boolean {
  if (share === 'everyone' || (share !== 'public' && consumer !== null)) return false
  return consumer !== null || headers.has('Authorization')
}

/**
 * Whether the reply may be meant for the caller only: the request has a session, or credentials that only the service understands.
 * Such a reply is not stored, and such a request not answered from the store, if freshness is only the gateway's own guess.
 */
export function mayBePersonal(exchange: Exchange, share: Share): boolean {
  const { consumer, headers } = exchange
  if (share === 'everyone' || (share !== 'public' && consumer !== null)) return false
  return consumer !== null || hasAnyOf(headers, PERSONAL)
}

/** Headers that identify the caller to services, or make them do something other than what the method says. */
export const PERSONAL_FIELDS = [
  'Cookie',
  'Authorization',
  'Client-Cert',
  'X-SSL-Client-S-DN',
  'X-Forwarded-Client-Cert',
  'X-API-Key',
  'API-Key',
  'ApiKey',
  'X-Auth-Token',
  'X-Auth-Key',
  'X-Access-Token',
  'X-Session-ID',
  'X-Session-Token',
  'X-CSRF-Token',
  'X-XSRF-Token',
  'X-Amz-Security-Token',
  'X-Goog-Api-Key',
  'Ocp-Apim-Subscription-Key',
  'PRIVATE-TOKEN',
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
]

const PERSONAL = new NameSet(PERSONAL_FIELDS, true)

/** Endless replies and live updates: replaying them to another client is meaningless. */
const STREAMS = new Set(['text/event-stream', 'multipart/x-mixed-replace'])

function isStream(headers: Headers): boolean {
  const type = headers.get('Content-Type')
  return type !== undefined && STREAMS.has(essence(type))
}

function isForAll(directives: ReplyControl['directives']): boolean {
  return directives.has('public') || directives.has('must-revalidate') || directives.has('s-maxage')
}
