import type { Socket } from 'node:net'
import { Bytes, type BodyStream, isStream } from '../core/body.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import { Reply } from '../core/reply.ts'
import {
  type ClientOptions,
  type ClientOwner,
  ClosedBeforeReply,
  type OutgoingRequest,
  type ReplyListener,
} from './client-owner.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { INCOMPLETE } from './fields.ts'
import { type BodySource, type IncomingBody, WHOLE } from './incoming-body.ts'
import { MessageWriter, type WriterOwner } from './message-writer.ts'
import { sharedBuffer } from './read-buffers.ts'
import { responseBody } from './response-body.ts'
import { hasNoContent, type ResponseHead, UNTIL_CLOSE } from './response-head.ts'
import { SocketTunnel } from './tunnel.ts'

/** How long, in milliseconds, a service may take to say 100 (Continue) before it gets the body all the same. */
const CONTINUE_TIMEOUT = 1_000

/** Interim responses to one request. */
const MAXIMUM_INTERIM = 100

/** A connection to an instance: carries one exchange at a time, and goes back to its owner after each. */
export class ClientConnection implements BodySource, WriterOwner, Timed {
  readonly socket: Socket
  deadline: number

  private readonly owner: ClientOwner
  private readonly options: ClientOptions
  private readonly deadlines: Deadlines
  private readonly head: ResponseHead
  private readonly writer: MessageWriter
  private served = 0
  private request: OutgoingRequest | null = null
  /** A body that waits for the service to say 100 (Continue). */
  private held: BodyStream | null = null
  private tunnel: SocketTunnel | null = null
  private listener: ReplyListener | null = null
  /** The listener has its reply. */
  private answered = false
  private body: IncomingBody | null = null
  private pending: Buffer | null = null
  /** The request, or the response, is not yet through. */
  private sending = false
  private receiving = false
  private closeAfter = false
  private interim = 0
  /** An octet of the response has come. */
  private heard = false
  /** The owner knows that it is gone. */
  private left = false
  private cause: Error | null = null
  /** Milliseconds that the service said it keeps the connection for, or Infinity. */
  private promised = Number.POSITIVE_INFINITY

  /** Takes over a connected socket. `head` may be shared by all connections of a thread: it is read at once. */
  constructor(socket: Socket, owner: ClientOwner, options: ClientOptions, deadlines: Deadlines, head: ResponseHead) {
    this.socket = socket
    this.owner = owner
    this.options = options
    this.deadlines = deadlines
    this.head = head
    this.writer = new MessageWriter(this)
    // Whoever asked for it may have left meanwhile.
    this.deadline = deadlines.in(options.poolTimeout)
    deadlines.watch(this)
    socket.on('drain', () => (this.tunnel === null ? this.writer.drained() : this.tunnel.serviceDrained()))
    socket.on('end', () => this.ended())
    socket.on('error', (error) => (this.cause = error))
    socket.on('close', () => this.gone())
  }

  /** Whether a request was answered on it before. */
  get reused(): boolean {
    return this.served > 0
  }

  exchange(request: OutgoingRequest, listener: ReplyListener): void {
    this.request = request
    this.listener = listener
    this.answered = false
    this.sending = true
    this.receiving = true
    this.closeAfter = false
    this.heard = false
    this.interim = 0
    this.pending = null
    const { head, body, chunked } = request
    if (request.expectsContinue && isStream(body)) {
      this.held = body
      this.deadline = this.deadlines.in(CONTINUE_TIMEOUT)
      return this.writer.sendHead(head)
    }
    this.deadline = this.deadlines.in(this.options.responseTimeout)
    this.writer.send(head, body, chunked)
  }

  /** Ends the connection, and with it whatever it is doing. */
  destroy(): void {
    this.leave()
    this.socket.destroy()
  }

  // Sending

  private sendHeld(): void {
    const { held } = this
    if (held === null) return
    this.held = null
    this.deadline = this.deadlines.in(this.options.responseTimeout)
    this.writer.sendBody(held, this.request!.chunked)
  }

  messageWritten(): void {
    this.sending = false
    if (this.receiving && !this.answered) this.deadline = this.deadlines.in(this.options.responseTimeout)
    if (!this.receiving) this.finish()
  }

  /** The request's body broke off: the service must not take it for whole. */
  messageFailed(error: Error): void {
    this.end(asGatewayError(error))
  }

  writeBlocked(): void {
    if (this.receiving && !this.answered) this.deadline = this.deadlines.in(this.options.responseTimeout)
  }

  // Receiving

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
      const all = Buffer.concat([pending, octets.subarray(0, end)])
      this.process(all, all.length)
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
    this.deadline = this.deadlines.in(this.options.idleTimeout)
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
    this.deadline = this.deadlines.in(options.idleTimeout)
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
    if (protocol === null || protocol.toLowerCase() !== this.request!.upgrade?.toLowerCase())
      throw new Error('the service changed to a protocol that it was not asked for')
    const reply = new Reply(101, this.head.endToEnd(false, this.deadlines.dateField), null)
    const early = Buffer.from(octets.subarray(start, end))
    this.deadline = Number.POSITIVE_INFINITY
    this.socket.pause()
    reply.upgrade = {
      protocol,
      open: (client) => {
        this.tunnel = new SocketTunnel(client, this.socket, this.deadlines, this.options.idleTimeout)
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

  /** The response is through. A request body that is still being sent is for nobody now. */
  private received(reply: Reply | null): void {
    this.receiving = false
    if (this.sending) {
      this.sending = false
      this.closeAfter = true
      this.stopSending()
    }
    if (reply !== null) this.answer(reply)
    this.finish()
  }

  private answer(reply: Reply): void {
    this.answered = true
    this.listener!.replied(reply)
  }

  bodyWanted(): void {}

  pauseReading(): void {
    this.deadline = Number.POSITIVE_INFINITY
    this.socket.pause()
  }

  resumeReading(): void {
    if (this.receiving) this.deadline = this.deadlines.in(this.options.idleTimeout)
    this.socket.resume()
  }

  abandonBody(): void {
    this.destroy()
  }

  // Endings

  private finish(): void {
    const { listener } = this
    this.listener = null
    listener!.finished()
    this.served++
    this.deadline = this.deadlines.in(Math.min(this.options.poolTimeout, this.promised))
    if (this.closeAfter || this.left) this.destroy()
    else this.owner.release(this)
  }

  onDeadline(): void {
    if (!this.receiving) return this.destroy()
    // A service that does not know the expectation says nothing to it (RFC 9110 section 10.1.1).
    if (this.held !== null) return this.sendHeld()
    const detail =
      this.body === null ? 'The service did not reply in time.' : 'The service stopped in the middle of its reply.'
    this.end(new GatewayError('gateway-timeout', detail))
  }

  /** The service sends no more; for a body without a length that is its end. */
  private ended(): void {
    const { body, tunnel } = this
    if (tunnel !== null) return tunnel.serviceEnded()
    if (body === null || !body.endOfInput()) return this.end(this.closedError(null))
    this.body = null
    this.closeAfter = true
    this.received(null)
  }

  private closedError(cause: unknown): GatewayError {
    if (!this.heard) return new ClosedBeforeReply(this.reused, cause)
    return new GatewayError('bad-gateway', 'The service closed the connection in the middle of its reply.', { cause })
  }

  /** Ends the connection; whoever waits for something from it gets the error. */
  private end(error: GatewayError): void {
    const { listener, body, answered } = this
    this.listener = null
    this.body = null
    this.receiving = this.sending = false
    this.destroy()
    this.stopSending()
    body?.fail(error)
    listener?.finished()
    if (!answered) listener?.failed(error)
  }

  private stopSending(): void {
    const { held } = this
    this.held = null
    held?.cancel()
    this.writer.stop()
  }

  private leave(): void {
    if (this.left) return
    this.left = true
    this.deadlines.forget(this)
    this.owner.closed(this)
  }

  private gone(): void {
    this.leave()
    this.tunnel?.close()
    this.end(this.closedError(this.cause))
  }
}

function badReply(cause: unknown): GatewayError {
  return new GatewayError('bad-gateway', 'The service sent a reply that is not valid HTTP/1.1.', { cause })
}
