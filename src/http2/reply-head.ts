import { announcesLength, wireOf } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import { encodeReply } from './hpack/encoder.ts'

/**
 * The field section of a reply. `empty` says that no content follows: a length is then announced only where the reply
 * has a body that is held back, as for HEAD (RFC 9110 section 8.6). Replies contain no connection-specific fields.
 */
export function replySection({ status, headers, body }: Reply, empty: boolean, dateField: string): string {
  const framed = status !== 204 && (!empty || body !== null)
  // The length that a service announced without sending content does not apply to a body supplied by a policy.
  if (framed && announcesLength(headers)) headers.delete('Content-Length')
  const date = headers.dated ? '' : dateField
  const length = body === null ? 0 : body.length
  return encodeReply(status, `${wireOf(headers)}${date}${framed && length >= 0 ? `Content-Length: ${length}\r\n` : ''}`)
}

/** The field section of a reply to a gRPC call. Clients take all fields for metadata of the call: without content, none announces that. */
export function callSection(reply: Reply, dateField: string): string {
  const hasContent = reply.body !== null && reply.body.length !== 0
  if (hasContent) return replySection(reply, false, dateField)
  const { status, headers } = reply
  return encodeReply(status, `${wireOf(headers)}${headers.dated ? '' : dateField}`)
}
