import { Bytes, type Body, cancelBody, isStream } from './body.ts'
import { Headers } from './headers.ts'
import type { Upgrade } from './upgrade.ts'

/**
 * Status, end-to-end headers and body that go back to the client. Framing and hop-by-hop fields are the wire's.
 * Whoever answers with another reply in its place says that nobody wants its body (`cancelBody`).
 */
export class Reply {
  /** 200 to 599; 101 only together with an upgrade. */
  status: number
  headers: Headers
  body: Body
  /** With status 101, what the connection becomes; else null. */
  upgrade: Upgrade | null = null

  constructor(status: number, headers: Headers, body: Body) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  /** A JSON reply. */
  static json(status: number, value: unknown, contentType = 'application/json'): Reply {
    return new Reply(status, Headers.of([['Content-Type', contentType]]), Bytes.fromText(JSON.stringify(value)))
  }
}

/** Whether it goes on for as long as the client stays: a stream of events, or another protocol. */
export function isLasting({ upgrade, body, headers }: Reply): boolean {
  if (upgrade !== null) return true
  return isStream(body) && /^text\/event-stream\b/i.test(headers.get('Content-Type') ?? '')
}

/** Says that nobody gets the reply: what it would have been read from is free, and is not read to its end. */
export function discardReply({ body, upgrade }: Reply): void {
  upgrade?.refuse()
  cancelBody(body)
}
