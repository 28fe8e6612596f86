import { STATUS_CODES } from 'node:http'
import type { Exchange } from '../../core/exchange.ts'
import type { Headers } from '../../core/headers.ts'
import { type ReplyControl, saysWhole } from './directives.ts'
import type { Freshness } from './freshness.ts'

/** Who may be given a copy of the same reply. */
export const shares = ['public', 'everyone', 'role', 'consumer'] as const

export type Share = (typeof shares)[number]

/** What the configuration says of storing. */
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
  if (isPersonal(exchange, options.share) && !isForAll(directives)) return 'authorization'
  if (!options.setCookie && headers.has('Set-Cookie')) return 'set-cookie'
  if (freshness === null) return 'no-freshness'
  if (freshness.lifetime === 0 && !headers.has('ETag') && !headers.has('Last-Modified')) return 'no-freshness'
  return null
}

/** Whether the request shows whose it is, and its reply would be given to others (section 3.5). */
function isPersonal({ consumer, headers }: Exchange, share: Share): boolean {
  if (share === 'everyone' || (share !== 'public' && consumer !== null)) return false
  return consumer !== null || headers.has('Authorization')
}

function isForAll(directives: ReplyControl['directives']): boolean {
  return directives.has('public') || directives.has('must-revalidate') || directives.has('s-maxage')
}
