import type { Socket } from 'node:net'
import { Bytes } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import { Reply } from '../http/reply.ts'
import { LF } from '../http/characters.ts'
import type { Headers } from '../http/headers.ts'
import type { OutgoingRequest, ServiceTimeouts } from '../http/outgoing-request.ts'
import type { ClientOptions } from '../http/pool-options.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { INCOMPLETE } from './fields.ts'
import { type BodySource, type IncomingBody, WHOLE } from './incoming-body.ts'
import { sharedBuffer } from '../http/read-buffers.ts'
import { responseBody } from './response-body.ts'
import { hasNoContent } from '../http/content.ts'
import { type ResponseHead, UNTIL_CLOSE } from './response-head.ts'
import { TunnelRelay } from '../http/tunnel.ts'
import { websocketAccept } from '../http/websocket-accept.ts'

/** Limit of interim responses to one request. */
const MAXIMUM_INTERIM = 100
/**
 * Heads up to this size, in bytes, are parsed again with every piece, so that anything that is not HTTP is detected at
 * once.
 */
const LARGE = 1024

/** Handles the responses that were read from a connection. */
export interface ResponseOwner {
  /** When the current wait ends, on the scale of `Deadlines.now`. */
  deadline: number
  /**
   * Since when the exchange has been waiting for its client to send more of its body or take more of its reply; else
   * Infinity.
   */
  waitingForClient: number
  /** The service is ready for the body (RFC 9110 section 10.1.1). */
  continued(): void
  /** An interim response other than 100 and 101. */
  informed(status: number, headers: Headers): void
  /** The head of the reply has arrived. */
  answer(reply: Reply): void
  /** The response is complete; `reply` is null if it was passed to `answer` before. */
  received(reply: Reply | null): void
  /** The data that was read is not a valid response. */
  end(error: GatewayError): void
  /** Closes the connection, and ends whatever it is doing. */
  destroy(): void
}

/** Shared by the connections to an instance, in its owner's current version. */
export interface ClientTools {
  readonly options: ClientOptions
  /** Its results are used at once after each `parse`, so it may be shared with other connections. */
  readonly head: ResponseHead
}

/** The reading side of a connection to an instance: the interim responses to a request, and the final one. */
export class ResponseReader implements BodySource {
  /** The connection cannot be reused after this response. */
  last = false
  /** Milliseconds for which the service has promised to keep the connection open, or Infinity. */
  promised = Number.POSITIVE_INFINITY

  private readonly socket: Socket
  private options: ClientOptions
  private readonly deadlines: Deadlines
  private head: ResponseHead
  private readonly owner: ResponseOwner
  private request: OutgoingRequest | null = null
  /** Time limits of the current exchange, or else of the connection. */
  private timeouts: ServiceTimeouts
  private body: IncomingBody | null = null
  private relay: TunnelRelay | null = null
  private pending: Buffer | null = null
  private interim = 0
  private begun = false
  private awaited = false

  constructor(socket: Socket, { options, head }: ClientTools, deadlines: Deadlines, owner: ResponseOwner) {
    this.socket = socket
    this.options = options
    this.timeouts = options
    this.deadlines = deadlines
    this.head = head
    this.owner = owner
  }

  /** Whether the response is not complete yet. */
  get receiving(): boolean {
    return this.awaited
  }

  /** Whether any byte of the response has arrived. */
  get received(): boolean {
    return this.begun
  }

  /** Whether the body of the response is being read. */
  get inBody(): boolean {
    return this.body !== null
  }

  /** Receives everything that is read once the connection has been upgraded; null before. */
  get tunnel(): TunnelRelay | null {
    return this.relay
  }

  /** Applies other bounds to the next responses. */
  renew({ options, head }: ClientTools): void {
    this.options = options
    this.head = head
  }

  /** Expects the response to that request next. */
  expect(request: OutgoingRequest, timeouts: ServiceTimeouts): void {
    this.request = request
    this.timeouts = timeouts
    this.awaited = true
    this.last = false
    this.begun = false
    this.interim = 0
    this.pending = null
  }

  /** The response is complete. */
  finish(): void {
    this.awaited = false
  }

  /** The response will not be continued: returns the body that breaks off. */
  stop(): IncomingBody | null {
    const { body } = this
    this.body = null
    this.awaited = false
    return body
  }

  /** The service ended the connection; returns whether that completes the body, as it does for one without a length. */
  endOfInput(): boolean {
    if (this.body === null || !this.body.endOfInput()) return false
    this.body = null
    this.last = true
    return true
  }

  /** The buffer for the next read. */
  get readBuffer(): Buffer {
    return this.body === null ? sharedBuffer : this.body.readBuffer
  }

  /** Takes bytes from the socket; they are only lent. */
  read(bytes: Buffer, end: number): void {
    const { relay, request } = this
    if (relay !== null) return relay.fromService(bytes.subarray(0, end))
    // Unsolicited bytes could be taken for the reply to the next request.
    if (!this.awaited || request === null) return this.owner.destroy()
    this.begun = true
    try {
      const { pending } = this
      if (pending === null) return this.process(request, bytes, end)
      const more = bytes.subarray(0, end)
      const all = Buffer.concat([pending, more])
      // A large head that arrives in small pieces is only parsed again once another line of it is complete.
      if (pending.length > LARGE && all.length <= this.options.head && !more.includes(LF)) this.pending = all
      else this.process(request, all, all.length)
    } catch (error) {
      this.owner.end(badReply(error))
    }
  }

  private process(request: OutgoingRequest, bytes: Buffer, end: number): void {
    this.pending = null
    const { body } = this
    // 1. The body of the final response.
    if (body !== null) {
      this.owner.deadline = this.deadlines.in(this.timeouts.idleTimeout)
      return this.readBody(body, bytes, end)
    }
    // 2. Heads, interim ones and the final one.
    let at = 0
    while (at < end) {
      const bodyStart = this.head.parse(bytes, at, end)
      if (bodyStart === INCOMPLETE) {
        this.pending = Buffer.from(bytes.subarray(at, end))
        return
      }
      at = bodyStart
      const { status } = this.head
      if (status >= 200) return this.begin(request, bytes, at, end)
      if (status === 101) return this.change(request, bytes, at, end)
      if (++this.interim > MAXIMUM_INTERIM) throw new Error('the service sends endless interim responses')
      if (status === 100) this.owner.continued()
      else this.owner.informed(status, this.head.endToEnd(false, ''))
    }
  }

  private begin(request: OutgoingRequest, bytes: Buffer, bodyStart: number, end: number): void {
    const { head, options, owner } = this
    this.last = head.close
    this.promised = head.keepAliveTimeout
    const empty = hasNoContent(request.method, head.status)
    const reply = new Reply(head.status, head.endToEnd(empty, this.deadlines.dateField), null)
    const length = empty ? 0 : head.contentLength
    // 1. No content, or all of it has arrived: the connection is available again before the reply is passed on.
    if (length >= 0 && length <= WHOLE && end - bodyStart >= length) {
      const stop = bodyStart + length
      if (!empty) reply.body = Bytes.fromLatin1(bytes.toString('latin1', bodyStart, stop))
      if (stop < end) this.last = true
      return owner.received(reply)
    }
    // 2. A stream, unless a chunked body turns out to be complete already.
    const body = responseBody(this, length, options)
    this.body = body
    owner.deadline = this.deadlines.in(this.timeouts.idleTimeout)
    if (length === UNTIL_CLOSE) this.last = true
    const stop = body.feed(bytes, bodyStart, end)
    reply.body = body.whole() ?? body
    if (!body.arrived) return owner.answer(reply)
    this.body = null
    if (stop < end) this.last = true
    owner.received(reply)
  }

  /** RFC 9110 section 7.8: the service switches to the requested protocol. */
  private change(request: OutgoingRequest, bytes: Buffer, start: number, end: number): void {
    const protocol = this.head.fields.upgrade
    const wanted = request.upgrade
    if (wanted === null || protocol?.toLowerCase() !== wanted.protocol.toLowerCase())
      throw new Error('the service switched to a protocol that was not requested')
    const reply = new Reply(101, this.head.endToEnd(false, this.deadlines.dateField), null)
    if (reply.headers.single('Sec-WebSocket-Accept') !== websocketAccept(wanted.key)) throw wrongAccept()
    const early = Buffer.from(bytes.subarray(start, end))
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.socket.pause()
    reply.upgrade = {
      protocol,
      open: (client) => {
        const tunnel = new TunnelRelay({
          client,
          service: this.socket,
          protocol,
          deadlines: this.deadlines,
          idleTimeout: this.timeouts.idleTimeout,
        })
        this.relay = tunnel
        if (early.length > 0) tunnel.fromService(early)
        this.socket.resume()
        return tunnel
      },
      refuse: () => this.owner.destroy(),
    }
    this.owner.answer(reply)
  }

  private readBody(body: IncomingBody, bytes: Buffer, end: number): void {
    const stop = body.feed(bytes, 0, end)
    if (!body.arrived) return
    if (stop < end) this.last = true
    this.body = null
    this.owner.received(null)
  }

  bodyWanted(): void {}

  pauseReading(): void {
    this.owner.waitingForClient = this.deadlines.now
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.socket.pause()
  }

  resumeReading(): void {
    this.owner.waitingForClient = Number.POSITIVE_INFINITY
    if (this.awaited) this.owner.deadline = this.deadlines.in(this.timeouts.idleTimeout)
    this.socket.resume()
  }

  abandonBody(): void {
    this.owner.destroy()
  }
}

/** RFC 6455 section 4.1: such a server has not understood the request, or does not implement WebSocket at all. */
function wrongAccept(): GatewayError {
  return new GatewayError(
    'bad-gateway',
    'The service accepted the WebSocket with a Sec-WebSocket-Accept that does not match the Sec-WebSocket-Key.',
  )
}

function badReply(cause: unknown): GatewayError {
  if (cause instanceof GatewayError && cause.code === 'bad-gateway') return cause
  if (cause instanceof GatewayError && cause.code === 'headers-too-large')
    return new GatewayError('bad-gateway', `The head of the service's reply is too large. ${cause.detail}`)
  return new GatewayError('bad-gateway', 'The service sent a reply that is not valid HTTP/1.1.', { cause })
}
