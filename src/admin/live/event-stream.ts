import type { OutgoingHttpHeader, ServerResponse } from 'node:http'

/** Octets that may wait for a client: more is left out. */
const WAITING = 1024 * 1024

/** Events for one client (HTML, section 9.2): one that takes them too slowly misses some. */
export class EventStream {
  private readonly response: ServerResponse

  /** Begins the reply, with those fields besides. */
  constructor(response: ServerResponse, headers: Readonly<Record<string, OutgoingHttpHeader | undefined>>) {
    this.response = response
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value)
    // The connection is for nothing else: the end of the gateway does not wait for it.
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', Connection: 'close' })
    response.flushHeaders()
  }

  /** Sends an event with that JSON, unless too much waits already. */
  send(event: string, json: string): void {
    const { response } = this
    if (response.destroyed || response.writableEnded || response.writableLength > WAITING) return
    response.write(`event: ${event}\ndata: ${json}\n\n`)
  }

  /** Has `listener` called once, when the client is gone or the stream is over. */
  closed(listener: () => void): void {
    this.response.once('close', listener)
  }

  /** There is no more to tell. */
  end(): void {
    this.response.end()
  }
}
