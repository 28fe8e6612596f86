import { GatewayError } from '../core/errors.ts'
import { MalformedMessage } from './fields.ts'

/**
 * host [":" port] of RFC 3986 section 3.2.2 without userinfo: a registered name, an IPv4 address, or an IPv6 address
 * in brackets. Percent-encoded names and sub-delims are refused: no service has such a name, attacks do.
 */
const AUTHORITY = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/

/** Whether the text is a host with an optional port. */
export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text)
}

export interface Target {
  /** Null where the target names none. */
  readonly authority: string | null
  /** Origin-form, or "*". */
  readonly target: string
}

/**
 * Reads a target that does not begin with "/": absolute-form, or asterisk-form (RFC 9112 sections 3.2.2
 * and 3.2.4). Throws MalformedMessage, and GatewayError 'misdirected-request' for an https URI: the connection is not
 * secured (RFC 9110 section 7.4).
 */
export function parseTarget(method: string, target: string): Target {
  if (target === '*') {
    if (method !== 'OPTIONS') throw new MalformedMessage('Only OPTIONS may have the target "*".')
    return { authority: null, target: '*' }
  }
  const match = /^http(s?):\/\/([^/?]*)(.*)$/i.exec(target)
  if (match === null || !isAuthority(match[2]!))
    throw new MalformedMessage('The request target is neither a path nor an http URI.')
  if (match[1] !== '')
    throw new GatewayError('misdirected-request', 'An https URI cannot be asked for on a connection without TLS.')
  const rest = match[3]!
  // Section 3.2.4: that is how the asterisk is written behind an authority.
  if (rest === '' && method === 'OPTIONS') return { authority: match[2]!, target: '*' }
  return { authority: match[2]!, target: rest.startsWith('/') ? rest : `/${rest}` }
}
