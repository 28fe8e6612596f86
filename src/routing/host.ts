import { PatternError } from './pattern.ts'

/** A host name to match, or with `wildcard` every name below it. */
export interface HostPattern {
  /** Lower case, without the "*." of a wildcard. */
  readonly name: string
  readonly wildcard: boolean
}

/** RFC 1035 section 2.3.4; also bounds the work that a long Host can cause. */
const LONGEST_NAME = 253

const NAME = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/

/**
 * Parses "api.example.com", or "*.example.com" for every name below example.com at any depth, but not example.com
 * itself. Throws PatternError.
 */
export function parseHostPattern(text: string): HostPattern {
  const wildcard = text.startsWith('*.')
  const name = (wildcard ? text.slice(2) : text).toLowerCase().replace(/\.$/, '')
  if (/[^:]:\d*$/.test(name)) throw new PatternError('must not have a port: the port in a request is ignored')
  if (!NAME.test(name) || (wildcard && name.startsWith('['))) {
    throw new PatternError(
      'must be a host name such as api.example.com (international ones as xn--…), a wildcard such as *.example.com, or an IP address',
    )
  }
  return { name, wildcard }
}

/** The name in a Host field: lower case, without port and trailing dot; "" when it is longer than a name can be. */
export function hostName(host: string): string {
  const colon = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':')
  let end = colon > 0 ? colon : host.length
  if (host.charCodeAt(end - 1) === 0x2e) end--
  return end > LONGEST_NAME ? '' : host.slice(0, end).toLowerCase()
}
