import type { Socket } from 'node:net'
import { Bytes } from '../http/body.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import { tooLarge } from '../http/limited-body.ts'
import type { Tunnel } from '../http/upgrade.ts'
import { CR, LF } from '../http/characters.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { INCOMPLETE } from './fields.ts'
import { Input, type InputConsumer } from '../http/input.ts'
import { type BodySource, type IncomingBody, WHOLE } from './incoming-body.ts'
import { MinRate } from '../http/min-rate.ts'
import { watchPeer } from '../http/watch-peer.ts'
import { LingeringClose } from '../http/lingering-close.ts'
import { type Reader, sharedBuffer } from '../http/read-buffers.ts'
import { CONTINUE } from './reply-head.ts'
import { requestBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { ServedConnection, ServerOptions } from '../http/server-handler.ts'

/** Handles the requests that were read from a connection. */
export interface RequestOwner {
  /** When the current wait ends, on the scale of `Deadlines.now`. */
  deadline: number
  /** Whether a client may start with HTTP/2. */
  readonly speaksHttp2: boolean
  /** The client starts with HTTP/2, with these bytes, which are lent. */
  beginsWithHttp2(bytes: Buffer): void
  /** The head of a request was read: creates the exchange for it. */
  begin(head: RequestHead): ServerExchange
  /** The request is ready to be answered, with its body or the beginning of it. */
  answer(exchange: ServerExchange): void
  /** The data that was read is invalid. */
  refuse(error: unknown): void
  /** Nothing that the client sends after the current request will be read. */
  readNoFurther(): void
  /** The body of the request has been read to its end. */
  bodyArrived(): void
  /** Reading of the body is paused. */
  bodyPaused(): void
  /** The consumer of the body wants no more of it. */
  bodyAbandoned(): void
  /** The body arrives below the minimum rate. */
  bodyTooSlow(): void
  /** Writes pending output, as the socket is about to be used in another way. */
  flush(): void
}

/**
 * idle: between requests; head, body: reading one; waiting: for the reply; tunnel: no longer HTTP; closing: only
 * reading to discard.
 */
type State = 'idle' | 'head' | 'body' | 'waiting' | 'tunnel' | 'closing'

/** Shared by the connections of one listener. */
export interface ServerTools {
  /** The values may change, and apply from then on. */
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  /** Its results are used at once after each `parse`, so one instance serves all connections. */
  readonly head: RequestHead
  /** Takes over the connection of a client that starts with HTTP/2; only used where the options allow HTTP/2. */
  readonly http2?: (connection: ServedConnection & { readonly socket: Socket }) => Reader
}

/**
 * The reading side of a client's connection: one request after another, never buffering more of a client's bytes than
 * one read returned.
 */
export class RequestReader implements BodySource, InputConsumer {
  private readonly socket: Socket
  private readonly options: ServerOptions
  private readonly deadlines: Deadlines
  private readonly head: RequestHead
  private readonly owner: RequestOwner
  private readonly input: Input
  private phase: State = 'idle'
  private body: IncomingBody | null = null
  private expectsContinue = false
  /** No request has been read yet. */
  private first = true
  /** Created for the first body that does not come with its head. */
  private rate: MinRate | null = null
  /** The current body has no timeout: its client may be silent for as long as it likes. */
  private restful = false
  private passedTo: Tunnel | null = null
  private closing: LingeringClose | null = null

  constructor(socket: Socket, { options, deadlines, head }: ServerTools, owner: RequestOwner) {
    this.socket = socket
    this.options = options
    this.deadlines = deadlines
    this.head = head
    this.owner = owner
    this.input = new Input(this)
  }

  get state(): State {
    return this.phase
  }

  /** Receives everything that is read once the connection has been upgraded; null before. */
  get tunnel(): Tunnel | null {
    return this.passedTo
  }

  /** Whether a body is being read that has no consumer: its end may never come. */
  get stuck(): boolean {
    return this.phase === 'body' && this.body?.flowing === false
  }

  /** Bytes that were read but not yet used. */
  get unused(): number {
    return this.input.length
  }

  /** Whether input is being processed right now. */
  get busy(): boolean {
    return this.input.busy
  }

  /**
   * Whether the gateway waits for the client: for (more of) a request, for it to take more of a reply, or for it to
   * close.
   */
  get waitsForClient(): boolean {
    const { socket, phase } = this
    if (socket.destroyed || this.passedTo !== null) return false
    if (phase === 'idle' || phase === 'head' || phase === 'closing') return true
    if (socket.writableLength > 0) return true
    return phase === 'body' && !socket.isPaused()
  }

  /** The buffer for the next read. */
  get readBuffer(): Buffer {
    return this.body === null ? sharedBuffer : this.body.readBuffer
  }

  /** Takes bytes from the socket; they are only lent. */
  read(bytes: Buffer, end: number): void {
    if (this.closing !== null) return this.closing.discard()
    if (this.passedTo !== null) return this.passedTo.fromClient(bytes.subarray(0, end))
    // A head that arrives in small pieces is only parsed again once another line of it is complete.
    if (this.phase === 'head' && this.input.length + end <= this.options.head && !bytes.subarray(0, end).includes(LF))
      return this.input.keep(bytes.subarray(0, end))
    this.input.feed(bytes, end)
  }

  // Transitions of the connection.

  /**
   * The reply is about to be sent: a body that has not been requested by now will not be asked for with 100 (Continue).
   */
  replyBegins(): void {
    this.expectsContinue = false
    // A body of unknown length that continues during the reply may be one side of a conversation.
    if (this.body !== null && this.body.length < 0) this.rate?.excuse()
  }

  /** The request and its reply are complete: `next` may follow. */
  finish(): void {
    this.body = null
    this.phase = 'waiting'
  }

  /** Starts reading another request. */
  next(): void {
    this.phase = 'idle'
    this.owner.deadline = this.deadlines.in(this.options.idleTimeout)
    if (this.input.length > 0) this.socket.resume()
    this.input.again()
  }

  /** Stops reading for now; returns a body that has not been read to its end. */
  hold(): IncomingBody | null {
    this.phase = 'waiting'
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.pauseReading()
    return this.body
  }

  /** Everything that follows belongs to the tunnel. */
  passTo(tunnel: Tunnel): void {
    this.phase = 'tunnel'
    this.passedTo = tunnel
    this.owner.deadline = Number.POSITIVE_INFINITY
    const early = this.input.take()
    if (early !== null) tunnel.fromClient(early)
  }

  /** Discards everything that arrives from now on. */
  discard(): void {
    this.phase = 'closing'
  }

  /** The same, until the client has had time to take what it was sent. */
  linger(): void {
    if (this.closing !== null) return
    this.phase = 'closing'
    this.rate?.rest()
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.owner.flush()
    this.closing = new LingeringClose(this.socket, this.deadlines, this.options.writeTimeout)
  }

  /** The connection is closed. */
  close(): void {
    if (this.rate !== null) this.deadlines.forget(this.rate)
    this.passedTo?.close()
    if (this.body !== null && !this.body.finished) this.body.fail(new GatewayError('client-closed'))
  }

  // Reading.

  consume(bytes: Buffer, start: number, end: number): number {
    if (this.phase === 'waiting') {
      this.pauseReading()
      return start
    }
    if (this.passedTo !== null) this.passedTo.fromClient(bytes.subarray(start, end))
    if (this.passedTo !== null || this.phase === 'closing') return end
    try {
      return this.body !== null && this.phase === 'body'
        ? this.readBody(this.body, bytes, start, end)
        : this.readHead(bytes, start, end)
    } catch (error) {
      this.owner.refuse(error)
      return end
    }
  }

  private readHead(bytes: Buffer, start: number, end: number): number {
    if (this.first && bytes[start] === HTTP2_FIRST && this.owner.speaksHttp2 && this.isHttp2(bytes, start, end))
      return this.readHttp2(bytes, start, end)
    const bodyStart = this.head.parse(bytes, start, end)
    if (bodyStart !== INCOMPLETE) return this.beginRequest(bytes, bodyStart, end)
    // Some clients send an empty line after a body, which does not begin a request (RFC 9112 section 2.2).
    if (this.phase === 'idle' && end - start === 2 && bytes[start] === CR && bytes[start + 1] === LF) return end
    return this.awaitHead(start)
  }

  /**
   * Whether the bytes begin, or may begin, the preface of HTTP/2 with prior knowledge (RFC 9113 section 3.3); they are
   * not parsed here then.
   */
  private isHttp2(bytes: Buffer, start: number, end: number): boolean {
    const present = Math.min(end - start, HTTP2_LINE.length)
    return bytes.toString('latin1', start, start + present) === HTTP2_LINE.slice(0, present)
  }

  private readHttp2(bytes: Buffer, start: number, end: number): number {
    if (end - start < HTTP2_LINE.length) return this.awaitHead(start)
    this.owner.beginsWithHttp2(bytes.subarray(start, end))
    return end
  }

  private awaitHead(start: number): number {
    if (this.phase === 'idle') this.owner.deadline = this.deadlines.in(this.options.headTimeout)
    this.phase = 'head'
    return start
  }

  private readBody(body: IncomingBody, bytes: Buffer, start: number, end: number): number {
    this.owner.deadline = this.deadlines.in(this.bodyTimeout)
    const at = body.feed(bytes, start, end)
    if (!body.arrived) return at
    this.rate?.rest()
    this.phase = 'waiting'
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.owner.bodyArrived()
    return at
  }

  /** A whole head was read: creates the exchange, with its body or what has arrived of it, and has it answered. */
  private beginRequest(bytes: Buffer, bodyStart: number, end: number): number {
    const { head, options, owner } = this
    const exchange = owner.begin(head)
    this.first = false
    this.phase = 'waiting'
    owner.deadline = Number.POSITIVE_INFINITY
    const length = head.contentLength
    if (length > options.body) exchange.refusal ??= tooLarge(options.body)
    if (exchange.refusal !== null) return this.beginRefused(exchange, exchange.refusal, end)
    this.expectsContinue = length !== 0 && head.expectsContinue
    let at = bodyStart
    if (length > 0 && length <= WHOLE && end - bodyStart >= length) {
      at = bodyStart + length
      exchange.body = Bytes.fromLatin1(bytes.toString('latin1', bodyStart, at))
    } else if (length !== 0) {
      const body = requestBody(this, length, options)
      this.body = body
      this.phase = 'body'
      this.restful = false
      owner.deadline = this.deadlines.in(options.bodyTimeout)
      try {
        if (at < end) at = this.readBody(body, bytes, at, end)
      } catch (error) {
        return this.beginRefused(exchange, asGatewayError(error), end)
      }
      if (!body.arrived) this.paceBody(body)
      exchange.body = body.whole() ?? body
    }
    owner.answer(exchange)
    if (this.body !== null && exchange.route.streaming === true) this.letRest()
    return at
  }

  /** Lets the client be silent during its body: TCP keep-alive checks whether it is still there. */
  private letRest(): void {
    this.restful = true
    this.rate?.excuse()
    if (this.phase === 'body') this.owner.deadline = Number.POSITIVE_INFINITY
    watchPeer(this.socket)
  }

  private get bodyTimeout(): number {
    return this.restful ? Number.POSITIVE_INFINITY : this.options.bodyTimeout
  }

  private paceBody(body: IncomingBody): void {
    const { deadlines, options } = this
    this.rate ??= new MinRate(deadlines, {
      moved: () => this.body?.received ?? 0,
      tooSlow: () => this.owner.bodyTooSlow(),
    })
    this.rate.begin(options.minRate, options.bodyTimeout)
    // A client that expects 100 (Continue) sends nothing before it gets it.
    if (body.received === 0 && !this.expectsContinue) this.rate.wait()
  }

  /**
   * The request is known to be invalid before anything has processed it. It still passes through the policies, so that
   * the refusal is like all replies of its route; its body fails when it is read, and what the client sends of it is
   * discarded.
   */
  private beginRefused(exchange: ServerExchange, refusal: GatewayError, end: number): number {
    const length = this.head.contentLength
    exchange.refusal = refusal
    if (length !== 0) {
      const body = requestBody(this, length, this.options)
      body.fail(refusal)
      exchange.body = body
    }
    this.body = null
    this.expectsContinue = false
    this.hold()
    this.owner.readNoFurther()
    this.owner.answer(exchange)
    return end
  }

  bodyWanted(): void {
    if (!this.expectsContinue) return
    this.expectsContinue = false
    this.rate?.wait()
    this.owner.flush()
    this.socket.write(CONTINUE, 'latin1')
  }

  pauseReading(): void {
    this.socket.pause()
    this.rate?.rest()
    if (this.phase === 'body') this.owner.bodyPaused()
  }

  resumeReading(): void {
    this.socket.resume()
    if (this.phase !== 'body') return
    this.owner.deadline = this.deadlines.in(this.bodyTimeout)
    this.rate?.wait()
  }

  abandonBody(): void {
    this.owner.bodyAbandoned()
  }
}

/** The first line of the HTTP/2 preface (RFC 9113 section 3.4): not a valid HTTP/1.1 request. */
const HTTP2_LINE = 'PRI * HTTP/2.0\r\n'
const HTTP2_FIRST = HTTP2_LINE.charCodeAt(0)
