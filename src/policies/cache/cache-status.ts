import { linesOf } from '../../http/field-lines.ts'
import type { Missing } from './store.ts'
import { NameSet } from '../../http/name-set.ts'

/** The header that says what a cache did (RFC 9211 section 2). */
export const CACHE_STATUS = new NameSet(['Cache-Status'])

/** Creates the header line with a value. */
export const statusLine = linesOf('Cache-Status')

/** Why a request was forwarded to the service (RFC 9211 section 2.2). */
export type ForwardReason = Missing | 'bypass' | 'method' | 'request' | 'stale'

/** The outcome of a request forwarded to the service. */
export interface Forwarded {
  readonly reason: ForwardReason
  /** Status of the service's reply, if it differs from the one that the client gets. */
  readonly status?: number
  readonly stored?: boolean
  /** Whether several requests shared one reply of the service. */
  readonly collapsed?: boolean
  readonly ttl?: number
  /** A token: why the reply was not stored, or what was done instead. */
  readonly detail?: string
}

/** The Cache-Status line of a reply for which the service was asked (RFC 9211 section 2). */
export function forwardedLine({ reason, status, stored, collapsed, ttl, detail }: Forwarded): string {
  let value = `sallyport; fwd=${reason}`
  if (status !== undefined) value += `; fwd-status=${status}`
  if (ttl !== undefined) value += `; ttl=${ttl}`
  if (stored === true) value += '; stored'
  if (collapsed === true) value += '; collapsed'
  if (detail !== undefined) value += `; detail=${detail}`
  return statusLine(value)
}
