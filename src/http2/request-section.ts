import { anticipatesContent } from '../http/content.ts'
import { NameSet } from '../http/name-set.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import { encodeConnect, encodeFields, encodeRequest } from './hpack/encoder.ts'

/** Fields that a WebSocket only has over HTTP/1.1 (RFC 8441 section 5). */
const HTTP1_ONLY = new NameSet(['sec-websocket-key'])

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
