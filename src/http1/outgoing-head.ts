import { anticipatesContent } from '../http/content.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'

/** The head of a request as it goes to a service, with its framing (RFC 9112 sections 3 and 6). Content of unknown length is chunked. */
export function outgoingHead(request: OutgoingRequest): string {
  const { method, body, upgrade } = request
  let head = `${method} ${request.target} HTTP/1.1\r\nHost: ${request.authority}\r\n${request.fields}`
  if (upgrade !== null) head += `Connection: Upgrade\r\nUpgrade: ${upgrade.protocol}\r\n`
  else if (request.acceptsTrailers) head += 'Connection: TE\r\nTE: trailers\r\n'
  if (request.expectsContinue) head += 'Expect: 100-continue\r\n'
  if (body !== null && body.length < 0) return `${head}Transfer-Encoding: chunked\r\n\r\n`
  if (body !== null) return `${head}Content-Length: ${body.length}\r\n\r\n`
  return anticipatesContent(method) ? `${head}Content-Length: 0\r\n\r\n` : `${head}\r\n`
}
