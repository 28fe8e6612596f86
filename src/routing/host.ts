import { PatternError } from './pattern.ts'

/** A host name to match, or with `wildcard` every name below it. */
export interface HostPattern {
  /** Lower case, without the "*." of a wildcard. */
  readonly name: string
  readonly wildcard: boolean
}

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
