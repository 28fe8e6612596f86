import { hash } from 'node:crypto'

const SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * The Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2): proves that the request was understood.
 */
export function websocketAccept(key: string): string {
  return hash('sha1', key + SUFFIX, 'base64')
}
