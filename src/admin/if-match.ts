import { GatewayError } from '../core/errors.ts'

/** One of a list of entity tags, with the separator after it (RFC 9110 section 8.8.3). */
const TAG = /[ \t,]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*"))[ \t]*(?:,|$)/y

/**
 * Whether the If-Match header `field` matches a resource that has one of the entity tags (RFC 9110 section 13.1.1): "*" matches anything,
 * and weak tags match nothing. Throws GatewayError 'bad-request' if it is not a list of entity tags.
 */
export function matches(field: string, tags: readonly string[]): boolean {
  if (field.trim() === '*') return true
  const tag = new RegExp(TAG)
  let found = false
  let at = 0
  while (at < field.length) {
    tag.lastIndex = at
    const match = tag.exec(field)
    if (match === null)
      throw new GatewayError(
        'bad-request',
        'If-Match: expected the ETag of GET /config/text or GET /config, in quotes.',
      )
    found ||= match[1] === undefined && tags.includes(match[2] ?? '')
    at = tag.lastIndex
  }
  return found
}
