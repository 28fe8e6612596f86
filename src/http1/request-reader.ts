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
import { LeastRate } from '../http/least-rate.ts'
import { watchPeer } from '../http/watch-peer.ts'
import { LingeringClose } from '../http/lingering-close.ts'
import { type Reader, sharedBuffer } from '../http/read-buffers.ts'
import { CONTINUE } from './reply-head.ts'
import { requestBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { ServedConnection, ServerOptions } from '../http/server-handler.ts'

/** Who has the requests of a connection answered. */
export interface RequestOwner {
  /** When it ends what it waits for; the time of `Deadlines.now`. */
  deadline: number
  /** Whether a client may begin with HTTP/2. */
  readonly speaksHttp2: boolean
  /** It does, with these octets, which are lent. */
  beginsWithHttp2(octets: Buffer): void
  /** The head of a request was read: makes the exchange of it. */
  begin(head: RequestHead): ServerExchange
  /** The request is here, with its body or the beginning of it. */
  answer(exchange: ServerExchange): void
  /** What was read cannot be used. */
  refuse(error: unknown): void
  /** Whatever else the client sends after the request it has begun is not read. */
  readNoFurther(): void
  /** The body of the request has been read to its end. */
  bodyArrived(): void
  /** Nothing is read of the body for now. */
  bodyPaused(): void
  /** Whoever took the body wants no more of it. */
  bodyAbandoned(): void
  /** The body does not come at the least rate. */
  bodyTooSlow(): void
  /** Writes what waits to be written: something else is done with the socket then. */
  flush(): void
}

/**
 * idle: between requests; head, body: reading one; waiting: for the reply; tunnel: no longer HTTP; closing: only
 * reading what is thrown away.
 */
type State = 'idle' | 'head' | 'body' | 'waiting' | 'tunnel' | 'closing'

/** What the connections of one listener have in common. */
export interface ServerTools {
  /** What they say may change, and counts from then on. */
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  /** Is read at once after it has parsed something, so one does for all. */
  readonly head: RequestHead
  /** Takes over the connection of a client that begins with HTTP/2; asked where the options say that it may. */
  readonly http2?: (connection: ServedConnection & { readonly socket: Socket }) => Reader
}

/**
 * The reading side of a client's connection: one request after another, never more of a client's octets at hand than
 * were read at once.
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
  /** Made for the first body that does not come with its head. */
  private rate: LeastRate | null = null
  /** The body that is being read may stop for as long as its client likes. */
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

  /** What it is at. */
  get state(): State {
    return this.phase
  }

  /** What all that is read goes to, once the connection has left HTTP; null before. */
  get tunnel(): Tunnel | null {
    return this.passedTo
  }

  /** Whether a body is being read that nobody takes: its end may never come. */
  get stuck(): boolean {
    return this.phase === 'body' && this.body?.flowing === false
  }

  /** Octets that were read and not used. */
  get unused(): number {
    return this.input.length
  }

  /** Whether what was read is being used right now. */
  get busy(): boolean {
    return this.input.busy
  }

  /** Whether the client is waited for, to send a request or more of it, to take more of a reply, or to end. */
  get waitsForClient(): boolean {
    const { socket, phase } = this
    if (socket.destroyed || this.passedTo !== null) return false
    if (phase === 'idle' || phase === 'head' || phase === 'closing') return true
    if (socket.writableLength > 0) return true
    return phase === 'body' && !socket.isPaused()
  }

  /** What is to be read into next. */
  get readBuffer(): Buffer {
    return this.body === null ? sharedBuffer : this.body.readBuffer
  }

  /** Takes octets from the socket, which are only lent. */
  read(octets: Buffer, end: number): void {
    if (this.closing !== null) return this.closing.discard()
    if (this.passedTo !== null) return this.passedTo.fromClient(octets.subarray(0, end))
    // A head that comes in small pieces is not parsed again before a line of it is complete.
    if (this.phase === 'head' && this.input.length + end <= this.options.head && !octets.subarray(0, end).includes(LF))
      return this.input.keep(octets.subarray(0, end))
    this.input.feed(octets, end)
  }

  // What becomes of the connection

  /** The reply to the request is on its way: who has not asked for its body by now does not get it. */
  replyBegins(): void {
    this.expectsContinue = false
    // Of unknown length, and with a reply on its way, it may be one side of a conversation.
    if (this.body !== null && this.body.length < 0) this.rate?.excuse()
  }

  /** The request is through, and its reply: `next` may follow. */
  finish(): void {
    this.body = null
    this.phase = 'waiting'
  }

  /** Reads another request. */
  next(): void {
    this.phase = 'idle'
    this.owner.deadline = this.deadlines.in(this.options.idleTimeout)
    if (this.input.length > 0) this.socket.resume()
    this.input.again()
  }

  /** Reads nothing for now; returns a body that is not read to its end. */
  hold(): IncomingBody | null {
    this.phase = 'waiting'
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.pauseReading()
    return this.body
  }

  /** What comes next is no longer HTTP. */
  passTo(tunnel: Tunnel): void {
    this.phase = 'tunnel'
    this.passedTo = tunnel
    this.owner.deadline = Number.POSITIVE_INFINITY
    const early = this.input.take()
    if (early !== null) tunnel.fromClient(early)
  }

  /** Throws away what comes from now on. */
  discard(): void {
    this.phase = 'closing'
  }

  /** The same, for as long as the client needs to take what it was sent. */
  linger(): void {
    if (this.closing !== null) return
    this.phase = 'closing'
    this.rate?.rest()
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.owner.flush()
    this.closing = new LingeringClose(this.socket, this.deadlines, this.options.writeTimeout)
  }

  /** The connection is gone. */
  close(): void {
    if (this.rate !== null) this.deadlines.forget(this.rate)
    this.passedTo?.close()
    if (this.body !== null && !this.body.finished) this.body.fail(new GatewayError('client-closed'))
  }

  // Reading

  consume(octets: Buffer, start: number, end: number): number {
    if (this.phase === 'waiting') {
      this.pauseReading()
      return start
    }
    if (this.passedTo !== null) this.passedTo.fromClient(octets.subarray(start, end))
    if (this.passedTo !== null || this.phase === 'closing') return end
    try {
      return this.body !== null && this.phase === 'body'
        ? this.readBody(this.body, octets, start, end)
        : this.readHead(octets, start, end)
    } catch (error) {
      this.owner.refuse(error)
      return end
    }
  }

  private readHead(octets: Buffer, start: number, end: number): number {
    if (this.first && octets[start] === HTTP2_FIRST && this.owner.speaksHttp2 && this.isHttp2(octets, start, end))
      return this.readHttp2(octets, start, end)
    const bodyStart = this.head.parse(octets, start, end)
    if (bodyStart !== INCOMPLETE) return this.beginRequest(octets, bodyStart, end)
    // Some clients send an empty line after a body: it is no beginning (RFC 9112 section 2.2).
    if (this.phase === 'idle' && end - start === 2 && octets[start] === CR && octets[start + 1] === LF) return end
    return this.awaitHead(start)
  }

  /** Whether the first octets are those of HTTP/2 with prior knowledge (RFC 9113 section 3.3), or may become that: then nothing is read here. */
  private isHttp2(octets: Buffer, start: number, end: number): boolean {
    const present = Math.min(end - start, HTTP2_LINE.length)
    return octets.toString('latin1', start, start + present) === HTTP2_LINE.slice(0, present)
  }

  private readHttp2(octets: Buffer, start: number, end: number): number {
    if (end - start < HTTP2_LINE.length) return this.awaitHead(start)
    this.owner.beginsWithHttp2(octets.subarray(start, end))
    return end
  }

  private awaitHead(start: number): number {
    if (this.phase === 'idle') this.owner.deadline = this.deadlines.in(this.options.headTimeout)
    this.phase = 'head'
    return start
  }

  private readBody(body: IncomingBody, octets: Buffer, start: number, end: number): number {
    this.owner.deadline = this.deadlines.in(this.bodyTimeout)
    const at = body.feed(octets, start, end)
    if (!body.arrived) return at
    this.rate?.rest()
    this.phase = 'waiting'
    this.owner.deadline = Number.POSITIVE_INFINITY
    this.owner.bodyArrived()
    return at
  }

  /** A whole head was read: makes the exchange of it, with its body or what is there of it, and has it answered. */
  private beginRequest(octets: Buffer, bodyStart: number, end: number): number {
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
      exchange.body = Bytes.fromLatin1(octets.toString('latin1', bodyStart, at))
    } else if (length !== 0) {
      const body = requestBody(this, length, options)
      this.body = body
      this.phase = 'body'
      this.restful = false
      owner.deadline = this.deadlines.in(options.bodyTimeout)
      try {
        if (at < end) at = this.readBody(body, octets, at, end)
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

  /** The client may be silent within its body: TCP is asked whether it is still there. */
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
    this.rate ??= new LeastRate(deadlines, {
      moved: () => this.body?.received ?? 0,
      tooSlow: () => this.owner.bodyTooSlow(),
    })
    this.rate.begin(options.minRate, options.bodyTimeout)
    // A client that asks first sends nothing before it is answered.
    if (body.received === 0 && !this.expectsContinue) this.rate.wait()
  }

  /**
   * What is wrong with the request is known before anybody has seen it. It takes its way, so that the refusal is like
   * all replies of its route, with a body that whoever reads it finds broken; what comes of that is read by nobody.
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

/** The first line of the preface of HTTP/2 (RFC 9113 section 3.4): no request of HTTP/1.1 has it. */
const HTTP2_LINE = 'PRI * HTTP/2.0\r\n'
const HTTP2_FIRST = HTTP2_LINE.charCodeAt(0)
