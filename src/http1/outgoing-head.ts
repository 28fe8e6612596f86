import { flatString } from '../core/flat-string.ts'
import { anticipatesContent } from '../http/content.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'

/**
 * The head of a request to a service, including its framing (RFC 9112 sections 3 and 6). Content of unknown length is
 * chunked.
 */
export function outgoingHead(request: OutgoingRequest): string {
  const { method, body, upgrade } = request
  let head = `${beginning(method)}${request.target}${hostLine(request.authority)}${request.fields}`
  if (upgrade !== null) head += `Connection: Upgrade\r\nUpgrade: ${upgrade.protocol}\r\n`
  else if (request.acceptsTrailers) head += 'Connection: TE\r\nTE: trailers\r\n'
  if (request.expectsContinue) head += 'Expect: 100-continue\r\n'
  if (body !== null && body.length < 0) return `${head}Transfer-Encoding: chunked\r\n\r\n`
  if (body !== null) return `${head}Content-Length: ${body.length}\r\n\r\n`
  return anticipatesContent(method) ? `${head}Content-Length: 0\r\n\r\n` : `${head}\r\n`
}

function beginning(method: string): string {
  return method === 'GET' ? 'GET ' : `${method} `
}

/**
 * Cache of what follows the target, by authority, each in a slot derived from it: most requests use one of a few
 * authorities.
 */
const hostLines = Array.from({ length: 16 }, () => ({ authority: '', line: flatString(' HTTP/1.1\r\nHost: \r\n') }))

function hostLine(authority: string): string {
  const { length } = authority
  // The mask keeps the index within the list.
  const known = hostLines[(length + authority.charCodeAt(length - 1)) & 15]!
  if (known.authority === authority) return known.line
  known.authority = authority
  known.line = flatString(` HTTP/1.1\r\nHost: ${authority}\r\n`)
  return known.line
}
