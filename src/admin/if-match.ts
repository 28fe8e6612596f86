import { GatewayError } from '../core/errors.ts'

/** One of a list of entity tags, and what comes after it (RFC 9110 section 8.8.3). */
const TAG = /[ \t,]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)")[ \t]*(?:,|$)/y

/**
 * Whether a request with that field If-Match is for what has the revision as its entity tag (RFC 9110 section 13.1.1): "*" is for
 * anything, and weak tags are for nothing. Throws GatewayError 'bad-request' for what is no list of entity tags.
 */
export function matches(field: string, revision: string): boolean {
  if (field.trim() === '*') return true
  const tag = new RegExp(TAG)
  let found = false
  let at = 0
  while (at < field.length) {
    tag.lastIndex = at
    const match = tag.exec(field)
    if (match === null) throw new GatewayError('bad-request', 'If-Match: expected the ETag of GET /config, in quotes.')
    found ||= match[1] === undefined && match[2] === revision
    at = tag.lastIndex
  }
  return found
}
