import type { OutgoingHttpHeader, ServerResponse } from 'node:http'

/** Maximum number of bytes that wait for a client; further events are dropped. */
const WAITING = 1024 * 1024

/** An event stream to one client (HTML, section 9.2); a client that reads too slowly misses events. */
export class EventStream {
  private readonly response: ServerResponse

  /** Begins the reply, with these additional headers. */
  constructor(response: ServerResponse, headers: Readonly<Record<string, OutgoingHttpHeader | undefined>>) {
    this.response = response
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value)
    // The connection is used for nothing else, so closing the gateway does not wait for it.
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', Connection: 'close' })
    response.flushHeaders()
  }

  /** Sends an event with that JSON, unless too much is waiting already. */
  send(event: string, json: string): void {
    const { response } = this
    if (response.destroyed || response.writableEnded || response.writableLength > WAITING) return
    response.write(`event: ${event}\ndata: ${json}\n\n`)
  }

  /** Calls `listener` once, when the client disconnects or the stream ends. */
  closed(listener: () => void): void {
    this.response.once('close', listener)
  }

  /** Ends the stream. */
  end(): void {
    this.response.end()
  }
}
