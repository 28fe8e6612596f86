import { GatewayError } from '../core/errors.ts'
import { isAuthority } from '../http/authority.ts'
import { MalformedMessage } from '../http/malformed-message.ts'

export interface Target {
  /** Null where the target has none. */
  readonly authority: string | null
  /** Origin-form, or "*". */
  readonly target: string
}

const NOT_SECURE = 'An https URI cannot be requested on a connection without TLS.'
const NOT_PLAIN = 'An http URI cannot be requested on a connection with TLS.'

/**
 * Parses a target that does not begin with "/": absolute-form, or asterisk-form (RFC 9112 sections 3.2.2 and 3.2.4).
 * Throws MalformedMessage, and GatewayError 'misdirected-request' for a URI whose scheme does not match the connection,
 * `secure` or not (RFC 9110 section 7.4).
 */
export function parseTarget(method: string, target: string, secure: boolean): Target {
  if (target === '*') {
    if (method !== 'OPTIONS') throw new MalformedMessage('Only OPTIONS may have the target "*".')
    return { authority: null, target: '*' }
  }
  const [match, s, authority = '', rest = ''] = /^http(s?):\/\/([^/?]*)(.*)$/i.exec(target) ?? []
  if (match === undefined || !isAuthority(authority))
    throw new MalformedMessage('The request target is neither a path nor an http URI.')
  if ((s !== '') !== secure) throw new GatewayError('misdirected-request', secure ? NOT_PLAIN : NOT_SECURE)
  // Section 3.2.4: in absolute-form, an empty path with OPTIONS means the asterisk.
  if (rest === '' && method === 'OPTIONS') return { authority, target: '*' }
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}` }
}
