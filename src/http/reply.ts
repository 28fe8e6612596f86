import { Bytes, type Body, cancelBody, isStream } from './body.ts'
import { Headers } from './headers.ts'
import type { Upgrade } from './upgrade.ts'

/**
 * Status, end-to-end headers and body for the client. Framing and hop-by-hop fields are left to the connection. Code
 * that answers with another reply instead must cancel this one's body (`cancelBody`).
 */
export class Reply {
  /** 200 to 599; 101 only together with an upgrade. */
  status: number
  headers: Headers
  body: Body
  /** With status 101, the upgraded connection to the service; else null. */
  upgrade: Upgrade | null = null

  constructor(status: number, headers: Headers, body: Body) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  static json(status: number, value: unknown, contentType = 'application/json'): Reply {
    return new Reply(status, Headers.of([['Content-Type', contentType]]), Bytes.fromText(JSON.stringify(value)))
  }
}

/** Whether it may last as long as the client stays: an event stream, or an upgraded connection. */
export function isLasting({ upgrade, body, headers }: Reply): boolean {
  if (upgrade !== null) return true
  return isStream(body) && /^text\/event-stream\b/i.test(headers.get('Content-Type') ?? '')
}

/** Discards a reply that will not be sent: its source is released, and is not read to its end. */
export function discardReply({ body, upgrade }: Reply): void {
  upgrade?.refuse()
  cancelBody(body)
}
