import type { Socket } from 'node:net'
import { Bytes } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import { Reply } from '../http/reply.ts'
import { LF } from '../http/characters.ts'
import type { ReplyListener } from '../http/lane.ts'
import type { OutgoingRequest, ServiceTimeouts } from '../http/outgoing-request.ts'
import type { ClientOptions } from './client-owner.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { INCOMPLETE } from './fields.ts'
import { type BodySource, type IncomingBody, WHOLE } from './incoming-body.ts'
import { sharedBuffer } from '../http/read-buffers.ts'
import { responseBody } from './response-body.ts'
import { hasNoContent } from '../http/content.ts'
import { type ResponseHead, UNTIL_CLOSE } from './response-head.ts'
import { JoinedTunnel } from '../http/tunnel.ts'
import { websocketAccept } from './websocket-accept.ts'

/** Interim responses to one request. */
const MAXIMUM_INTERIM = 100
/** Octets of a head up to which it is parsed again with every piece: what is no reply is found at once. */
const LARGE = 1024

/** The reading side of a connection to an instance: the interim responses to a request, and the final one. */
export abstract class ResponseReader implements BodySource, Timed {
  readonly socket: Socket
  deadline: number

  protected readonly options: ClientOptions
  /** Those of the exchange, or its own. */
  protected timeouts: ServiceTimeouts
  protected readonly deadlines: Deadlines
  protected request: OutgoingRequest | null = null
  protected listener: ReplyListener | null = null
  protected tunnel: JoinedTunnel | null = null
  protected body: IncomingBody | null = null
  protected pending: Buffer | null = null
  /** The response is not yet through. */
  protected receiving = false
  protected closeAfter = false
  protected interim = 0
  /** An octet of the response has come. */
  protected heard = false
  /** Milliseconds that the service said it keeps the connection for, or Infinity. */
  protected promised = Number.POSITIVE_INFINITY
  /** Since when the exchange has been waiting for its own client, in milliseconds of the deadlines; Infinity while it is not. */
  protected waitingSince = Number.POSITIVE_INFINITY
  private readonly head: ResponseHead

  constructor(socket: Socket, options: ClientOptions, deadlines: Deadlines, head: ResponseHead) {
    this.socket = socket
    this.options = options
    this.timeouts = options
    this.deadlines = deadlines
    this.head = head
    // Whoever asked for it may have left meanwhile.
    this.deadline = deadlines.in(options.poolTimeout)
  }

  /** Ends the connection, and with it whatever it is doing. */
  abstract destroy(): void
  abstract onDeadline(): void
  /** The service is ready for the body (RFC 9110 section 10.1.1). */
  protected abstract sendHeld(): void
  /** The head of the reply is here. */
  protected abstract answer(reply: Reply): void
  /** The response is through; the reply comes with it unless it was there before. */
  protected abstract received(reply: Reply | null): void
  /** Ends the connection; whoever waits for something from it gets the error. */
  protected abstract end(error: GatewayError): void

  /** What is to be read into next. */
  get readBuffer(): Buffer {
    return this.body === null ? sharedBuffer : this.body.readBuffer
  }

  /** Takes octets from the socket, which are only lent. */
  read(octets: Buffer, end: number): void {
    if (this.tunnel !== null) return this.tunnel.fromService(octets.subarray(0, end))
    // Octets that nobody asked for could be taken for the reply to the next request.
    if (!this.receiving) return this.destroy()
    this.heard = true
    try {
      const { pending } = this
      if (pending === null) return this.process(octets, end)
      const more = octets.subarray(0, end)
      const all = Buffer.concat([pending, more])
      // A large head that comes in small pieces is not parsed again before a line of it is complete.
      if (pending.length > LARGE && all.length <= this.options.head && !more.includes(LF)) this.pending = all
      else this.process(all, all.length)
    } catch (error) {
      this.end(badReply(error))
    }
  }

  private process(octets: Buffer, end: number): void {
    this.pending = null
    let at = 0
    while (this.body === null) {
      // 1. A head, final or interim.
      const bodyStart = this.head.parse(octets, at, end)
      if (bodyStart === INCOMPLETE) {
        this.pending = Buffer.from(octets.subarray(at, end))
        return
      }
      at = bodyStart
      const { status } = this.head
      if (status >= 200) return this.begin(octets, at, end)
      if (status === 101) return this.change(octets, at, end)
      if (++this.interim > MAXIMUM_INTERIM) throw new Error('the service sends interim responses without end')
      if (status === 100) this.sendHeld()
      else this.listener!.informed(status, this.head.endToEnd(false, ''))
      if (at >= end) return
    }
    // 2. The body of the final response.
    this.deadline = this.deadlines.in(this.timeouts.idleTimeout)
    this.readBody(octets, at, end)
  }

  private begin(octets: Buffer, bodyStart: number, end: number): void {
    const { head, options } = this
    this.closeAfter = head.close
    this.promised = head.keepAliveTimeout
    const empty = hasNoContent(this.request!.method, head.status)
    const reply = new Reply(head.status, head.endToEnd(empty, this.deadlines.dateField), null)
    const length = empty ? 0 : head.contentLength
    // 1. No content, or all of it at hand: the connection is free before the reply is on its way.
    if (length >= 0 && length <= WHOLE && end - bodyStart >= length) {
      const stop = bodyStart + length
      if (!empty) reply.body = Bytes.fromLatin1(octets.toString('latin1', bodyStart, stop))
      if (stop < end) this.closeAfter = true
      return this.received(reply)
    }
    // 2. A stream, unless a chunked body turns out to be complete already.
    const body = responseBody(this, length, options)
    this.body = body
    this.deadline = this.deadlines.in(this.timeouts.idleTimeout)
    if (length === UNTIL_CLOSE) this.closeAfter = true
    const stop = body.feed(octets, bodyStart, end)
    reply.body = body.whole() ?? body
    if (!body.arrived) return this.answer(reply)
    this.body = null
    if (stop < end) this.closeAfter = true
    this.received(reply)
  }

  /** RFC 9110 section 7.8: the service changes to the protocol that it was asked to change to. */
  private change(octets: Buffer, start: number, end: number): void {
    const protocol = this.head.fields.upgrade
    const wanted = this.request!.upgrade
    if (wanted === null || protocol?.toLowerCase() !== wanted.protocol.toLowerCase())
      throw new Error('the service changed to a protocol that it was not asked for')
    const reply = new Reply(101, this.head.endToEnd(false, this.deadlines.dateField), null)
    if (reply.headers.single('Sec-WebSocket-Accept') !== websocketAccept(wanted.key)) throw wrongAccept()
    const early = Buffer.from(octets.subarray(start, end))
    this.deadline = Number.POSITIVE_INFINITY
    this.socket.pause()
    reply.upgrade = {
      protocol,
      open: (client) => {
        this.tunnel = new JoinedTunnel(client, this.socket, protocol, this.deadlines, this.timeouts.idleTimeout)
        if (early.length > 0) this.tunnel.fromService(early)
        this.socket.resume()
        return this.tunnel
      },
      refuse: () => this.destroy(),
    }
    this.answer(reply)
  }

  private readBody(octets: Buffer, start: number, end: number): void {
    const body = this.body!
    const stop = body.feed(octets, start, end)
    if (!body.arrived) return
    if (stop < end) this.closeAfter = true
    this.body = null
    this.received(null)
  }

  bodyWanted(): void {}

  pauseReading(): void {
    this.waitingSince = this.deadlines.now
    this.deadline = Number.POSITIVE_INFINITY
    this.socket.pause()
  }

  resumeReading(): void {
    this.waitingSince = Number.POSITIVE_INFINITY
    if (this.receiving) this.deadline = this.deadlines.in(this.timeouts.idleTimeout)
    this.socket.resume()
  }

  abandonBody(): void {
    this.destroy()
  }
}

/** RFC 6455 section 4.1: what answers so has not understood the request, or is no WebSocket at all. */
function wrongAccept(): GatewayError {
  return new GatewayError(
    'bad-gateway',
    'The service agreed to a WebSocket with a Sec-WebSocket-Accept that does not answer the Sec-WebSocket-Key.',
  )
}

function badReply(cause: unknown): GatewayError {
  if (cause instanceof GatewayError && cause.code === 'bad-gateway') return cause
  if (cause instanceof GatewayError && cause.code === 'headers-too-large')
    return new GatewayError('bad-gateway', `The head of the service's reply is too large. ${cause.detail}`)
  return new GatewayError('bad-gateway', 'The service sent a reply that is not valid HTTP/1.1.', { cause })
}
