import { NameSet } from '../http/name-set.ts'

/** Fields that a WebSocket only has over HTTP/1.1 (RFC 8441 section 5). */
export const HTTP1_ONLY = new NameSet(['sec-websocket-key'])
