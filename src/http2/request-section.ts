import { anticipatesContent } from '../http/content.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import { encodeConnect, encodeFields, encodeRequest } from './hpack/encoder.ts'
import { HTTP1_ONLY } from './http1-only.ts'

/** The field section of a request to a service (RFC 9113 section 8.3.1). */
export function requestSection(request: OutgoingRequest, scheme: 'http' | 'https'): string {
  const { method, authority, target, fields, body, upgrade } = request
  if (upgrade !== null)
    return (
      encodeConnect(upgrade.protocol.toLowerCase(), scheme, authority, target) +
      encodeFields(HTTP1_ONLY.without(fields))
    )
  let lines = fields
  if (request.acceptsTrailers) lines += 'TE: trailers\r\n'
  if (request.expectsContinue) lines += 'Expect: 100-continue\r\n'
  if (body !== null && body.length >= 0) lines += `Content-Length: ${body.length}\r\n`
  else if (body === null && anticipatesContent(method)) lines += 'Content-Length: 0\r\n'
  return encodeRequest(method, scheme, authority, target) + encodeFields(lines)
}
