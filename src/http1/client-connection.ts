import type { Socket } from 'node:net'
import { Bytes, type Body } from '../core/body.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import { Headers } from '../core/headers.ts'
import { Reply } from '../core/reply.ts'
import { CloseDecoder, LengthDecoder, type BodyDecoder } from './body-decoder.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { type ClientOptions, type ClientOwner, ClosedBeforeReply, type ReplyListener } from './client-owner.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { INCOMPLETE } from './fields.ts'
import { IncomingBody, type BodySource } from './incoming-body.ts'
import type { HeadLimits } from './limits.ts'
import { MessageWriter, type WriterOwner } from './message-writer.ts'
import { CHUNKED, hasNoContent, type ResponseHead, UNTIL_CLOSE } from './response-head.ts'

/** More than any reply body: bodies from services are streamed, so they need no bound here. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER

/** A connection to an instance: carries one exchange at a time, and goes back to its owner after each. */
export class ClientConnection implements BodySource, WriterOwner, Timed {
  readonly socket: Socket
  deadline = Number.POSITIVE_INFINITY

  private readonly owner: ClientOwner
  private readonly options: ClientOptions
  private readonly deadlines: Deadlines
  private readonly head: ResponseHead
  private readonly writer: MessageWriter
  private served = 0
  private method = ''
  private listener: ReplyListener | null = null
  /** The listener has its reply. */
  private answered = false
  private body: IncomingBody | null = null
  private pending: Buffer | null = null
  /** The request, or the response, is not yet through. */
  private sending = false
  private receiving = false
  private closeAfter = false
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
    deadlines.watch(this)
    socket.on('drain', () => this.writer.drained())
    socket.on('end', () => this.ended())
    socket.on('error', (error) => (this.cause = error))
    socket.on('close', () => this.gone())
  }

  /** Whether a request was answered on it before. */
  get reused(): boolean {
    return this.served > 0
  }

  /** Sends a request; `head` is the whole head with its framing and the empty line. */
  exchange(method: string, head: string, body: Body, chunked: boolean, listener: ReplyListener): void {
    this.method = method
    this.listener = listener
    this.answered = false
    this.sending = true
    this.receiving = true
    this.closeAfter = false
    this.heard = false
    this.deadline = this.deadlines.in(this.options.responseTimeout)
    this.writer.send(head, body, chunked)
  }

  /** Ends the connection, and with it whatever it is doing. */
  destroy(): void {
    this.leave()
    this.socket.destroy()
  }

  // Sending

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

  /** Takes octets from the socket, which are only lent. */
  read(octets: Buffer, end: number): void {
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
      // 1. A head, final or interim; interim ones are for the gateway alone.
      const bodyStart = this.head.parse(octets, at, end)
      if (bodyStart === INCOMPLETE) {
        this.pending = Buffer.from(octets.subarray(at, end))
        return
      }
      at = bodyStart
      if (this.head.status >= 200) return this.begin(octets, at, end)
      if (this.head.status === 101) throw new Error('the service changed the protocol without being asked')
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
    const empty = hasNoContent(this.method, head.status)
    const headers = this.headers(empty)
    const length = head.contentLength
    // 1. No content, or all of it at hand: the connection is free before the reply is on its way.
    if (empty || length === 0 || (length > 0 && end - bodyStart >= length)) {
      const stop = empty ? bodyStart : bodyStart + length
      const body = empty ? null : Bytes.fromLatin1(octets.toString('latin1', bodyStart, stop))
      const reply = new Reply(head.status, headers, body)
      if (stop < end) this.closeAfter = true
      return this.received(reply)
    }
    // 2. A stream, unless a chunked body turns out to be complete already.
    const body = new IncomingBody(this, decoderFor(length, options), length < 0 ? -1 : length, NO_LIMIT, never)
    const reply = new Reply(head.status, headers, body)
    this.body = body
    this.deadline = this.deadlines.in(options.idleTimeout)
    if (length === UNTIL_CLOSE) this.closeAfter = true
    if (bodyStart < end) this.readBody(octets, bodyStart, end)
    const whole = body.whole()
    if (whole !== null) reply.body = whole
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

  /** End-to-end fields, with Date if the service gave none (RFC 9110 section 6.6.1). */
  private headers(empty: boolean): Headers {
    const { fields, nominated, announcedLength } = this.head
    let { raw } = fields
    if (!fields.hasDate) raw += this.deadlines.dateField
    if (empty && announcedLength !== null) raw += `Content-Length: ${announcedLength}\r\n`
    const headers = Headers.fromWire(raw, true)
    if (nominated !== null) for (const name of nominated) headers.delete(name)
    return headers
  }

  /** The response is through. A request body that is still being sent is for nobody now. */
  private received(reply: Reply | null): void {
    this.receiving = false
    if (this.sending) {
      this.sending = false
      this.closeAfter = true
      this.writer.stop()
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
    const detail =
      this.body === null ? 'The service did not reply in time.' : 'The service stopped in the middle of its reply.'
    this.end(new GatewayError('gateway-timeout', detail))
  }

  /** The service sends no more; for a body without a length that is its end. */
  private ended(): void {
    const { body } = this
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
    this.writer.stop()
    body?.fail(error)
    listener?.finished()
    if (!answered) listener?.failed(error)
  }

  private leave(): void {
    if (this.left) return
    this.left = true
    this.deadlines.forget(this)
    this.owner.closed(this)
  }

  private gone(): void {
    this.leave()
    this.end(this.closedError(this.cause))
  }
}

function badReply(cause: unknown): GatewayError {
  return new GatewayError('bad-gateway', 'The service sent a reply that is not valid HTTP/1.1.', { cause })
}

function decoderFor(length: number, limits: HeadLimits): BodyDecoder {
  if (length === CHUNKED) return new ChunkedDecoder(limits)
  return length === UNTIL_CLOSE ? new CloseDecoder() : new LengthDecoder(length)
}

function never(): Error {
  return new Error('over the limit')
}
