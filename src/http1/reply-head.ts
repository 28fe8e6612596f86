import { STATUS_CODES } from 'node:http'
import { flatString } from '../core/flat-string.ts'
import { announcesLength, type Headers, wireOf } from '../http/headers.ts'
import type { HttpVersion } from '../http/received-head.ts'
import type { Reply } from '../http/reply.ts'

/** Status lines by status code, with the registered reason phrase or none (RFC 9112 section 4). */
const statusLines: readonly string[] = Array.from({ length: 600 }, (_, number) =>
  statusLineOf(number < 100 ? 500 : number),
)
const UNKNOWN_STATUS = statusLineOf(500)

function statusLineOf(status: number): string {
  return flatString(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`)
}

/**
 * The head of a reply for a client of that HTTP version. Content of unknown length is chunked, or ends with the
 * connection for HTTP/1.0 (RFC 9112 section 6). `empty` says that no content follows the head: a length is then
 * announced only where the reply has a body that is held back, as for HEAD (RFC 9110 section 8.6).
 */
export function replyHead(
  reply: Reply,
  empty: boolean,
  protocol: HttpVersion,
  close: boolean,
  dateField: string,
): string {
  const { status, headers, body } = reply
  // RFC 9110 section 8.6 and RFC 9112 section 6.1: a 204 has neither field.
  const framed = status !== 204 && (!empty || body !== null)
  // The length that a service announced without sending content does not apply to a body supplied by a policy.
  if (framed && announcesLength(headers)) headers.delete('Content-Length')
  let head = statusLine(status) + wireOf(headers)
  if (!headers.dated) head += dateField
  if (framed) {
    const length = body === null ? 0 : body.length
    if (length >= 0) head += contentLength(length)
    else if (protocol !== '1.0') head += 'Transfer-Encoding: chunked\r\n'
  }
  if (close) head += 'Connection: close\r\n'
  else if (protocol === '1.0') head += 'Connection: keep-alive\r\n'
  return `${head}\r\n`
}

/** An empty string for an unknown status would end the head too early. */
function statusLine(status: number): string {
  return statusLines[status] ?? UNKNOWN_STATUS
}

/** Cache of Content-Length lines, in slots by the low bits of the length: most replies have one of a few lengths. */
const lengthLines = Array.from({ length: 256 }, () => ({ length: -1, line: '' }))

function contentLength(length: number): string {
  // The mask keeps the index within the list.
  const known = lengthLines[length & 255]!
  if (known.length === length) return known.line
  known.length = length
  known.line = ['Content-Length: ', length, '\r\n'].join('')
  return known.line
}

/** The interim response that every client has to accept (RFC 9110 section 15.2.1). */
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** The head of an interim response (RFC 9110 section 15.2). */
export function interimHead(status: number, headers: Headers): string {
  return `${statusLine(status)}${wireOf(headers)}\r\n`
}

/** The head of a reply that switches protocols (RFC 9110 sections 7.8 and 15.2.2). */
export function upgradeHead(reply: Reply, protocol: string): string {
  return `${statusLine(reply.status)}${wireOf(reply.headers)}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
}
