import type { Socket } from 'node:net'
import { Bytes } from '../http/body.ts'
import { asGatewayError, type GatewayError } from '../core/errors.ts'
import type { Client } from '../http/exchange.ts'
import type { Headers } from '../http/headers.ts'
import { tooLarge } from '../http/limited-body.ts'
import type { Tunnel } from '../http/upgrade.ts'
import { CR, LF } from '../http/characters.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { INCOMPLETE } from './fields.ts'
import { Input, type InputConsumer } from './input.ts'
import { type BodySource, type IncomingBody, WHOLE } from './incoming-body.ts'
import { LeastRate } from './least-rate.ts'
import type { LingeringClose } from './lingering-close.ts'
import type { MessageWriter } from './message-writer.ts'
import { sharedBuffer } from '../http/read-buffers.ts'
import { requestBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { type Informed, ServerExchange } from '../http/server-exchange.ts'
import type { ServerOptions } from '../http/server-handler.ts'

/**
 * idle: between requests; head, body: reading one; waiting: for the reply; tunnel: no longer HTTP; closing: only
 * reading what is thrown away.
 */
type State = 'idle' | 'head' | 'body' | 'waiting' | 'tunnel' | 'closing'

/**
 * The reading side of a client's connection: one request after another, never more of a client's octets at hand than
 * were read at once.
 */
export abstract class RequestReader implements BodySource, InputConsumer, Informed, Timed {
  readonly socket: Socket
  /** For `identify` to keep what it found out about an untrusted peer. */
  client: Client | null = null
  deadline: number

  protected readonly options: ServerOptions
  protected readonly deadlines: Deadlines
  protected readonly input: Input
  protected state: State = 'idle'
  protected exchange: ServerExchange | null = null
  protected body: IncomingBody | null = null
  protected closeAfter = false
  /** The client has asked for that. */
  protected clientCloses = false
  protected expectsContinue = false
  protected closing: LingeringClose | null = null
  /** Made for the first body that does not come with its head. */
  protected bodyRate: LeastRate | null = null
  protected tunnel: Tunnel | null = null
  private readonly head: RequestHead

  constructor(socket: Socket, options: ServerOptions, deadlines: Deadlines, head: RequestHead) {
    this.socket = socket
    this.options = options
    this.deadlines = deadlines
    this.head = head
    this.input = new Input(this)
    this.deadline = deadlines.in(options.idleTimeout)
  }

  /** Who sent the head that was just read. */
  protected abstract identify(head: RequestHead): Client
  /** A request is here, with its body or the beginning of it. */
  protected abstract answer(exchange: ServerExchange): void
  /** What was read cannot be used. */
  protected abstract refuse(error: unknown): void
  /** The exchange is over and its request read. */
  protected abstract next(): void
  /** Nothing more is read of use. */
  protected abstract linger(): void
  abstract inform(status: number, headers: Headers): void
  abstract onDeadline(): void
  /** The body does not come at the least rate. */
  protected abstract bodyTooSlow(): void
  /** What replies are written with. */
  protected abstract readonly writer: MessageWriter
  /** Whether the client takes nothing of the reply for now. */
  abstract writeBlocked(blocked: boolean): void

  /** Whether it is between two requests. */
  get idle(): boolean {
    return this.state === 'idle' && !this.socket.destroyed
  }

  /** Whether the client is waited for, to send a request or more of it, to take more of a reply, or to end. */
  get waitsForClient(): boolean {
    if (this.socket.destroyed || this.tunnel !== null) return false
    if (this.state === 'idle' || this.state === 'head' || this.state === 'closing') return true
    if (this.socket.writableLength > 0) return true
    return this.state === 'body' && !this.socket.isPaused()
  }

  /** What is to be read into next. */
  get readBuffer(): Buffer {
    return this.body === null ? sharedBuffer : this.body.readBuffer
  }

  /** Takes octets from the socket, which are only lent. */
  read(octets: Buffer, end: number): void {
    if (this.closing !== null) return this.closing.discard()
    if (this.tunnel !== null) return this.tunnel.fromClient(octets.subarray(0, end))
    // A head that comes in small pieces is not parsed again before a line of it is complete.
    if (this.state === 'head' && this.input.length + end <= this.options.head && !octets.subarray(0, end).includes(LF))
      return this.input.keep(octets.subarray(0, end))
    this.input.feed(octets, end)
  }

  consume(octets: Buffer, start: number, end: number): number {
    if (this.state === 'waiting') {
      this.pauseReading()
      return start
    }
    if (this.tunnel !== null) this.tunnel.fromClient(octets.subarray(start, end))
    if (this.tunnel !== null || this.state === 'closing') return end
    try {
      return this.state === 'body' ? this.readBody(octets, start, end) : this.readHead(octets, start, end)
    } catch (error) {
      this.refuse(error)
      return end
    }
  }

  private readHead(octets: Buffer, start: number, end: number): number {
    const bodyStart = this.head.parse(octets, start, end)
    if (bodyStart !== INCOMPLETE) return this.begin(octets, bodyStart, end)
    // Some clients send an empty line after a body: it is no beginning (RFC 9112 section 2.2).
    if (this.state === 'idle' && end - start === 2 && octets[start] === CR && octets[start + 1] === LF) return end
    if (this.state === 'idle') this.deadline = this.deadlines.in(this.options.headTimeout)
    this.state = 'head'
    return start
  }

  private readBody(octets: Buffer, start: number, end: number): number {
    const body = this.body!
    this.deadline = this.deadlines.in(this.options.bodyTimeout)
    const at = body.feed(octets, start, end)
    if (!body.arrived) return at
    this.bodyRate?.rest()
    this.state = 'waiting'
    this.deadline = Number.POSITIVE_INFINITY
    if (this.exchange === null) this.next()
    else if (this.writer.waits) this.writeBlocked(true)
    return at
  }

  /** A whole head was read: makes the exchange of it, with its body or what is there of it, and has it answered. */
  private begin(octets: Buffer, bodyStart: number, end: number): number {
    const { head, options } = this
    const exchange = new ServerExchange(head, this.identify(head), this.deadlines.clock.now(), this)
    if (head.nominated !== null) for (const name of head.nominated) exchange.headers.delete(name)
    this.exchange = exchange
    this.closeAfter = this.clientCloses = head.close
    this.state = 'waiting'
    this.deadline = Number.POSITIVE_INFINITY
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
      this.state = 'body'
      this.deadline = this.deadlines.in(options.bodyTimeout)
      try {
        if (at < end) at = this.readBody(octets, at, end)
      } catch (error) {
        return this.beginRefused(exchange, asGatewayError(error), end)
      }
      if (!body.arrived) this.paceBody(body)
      exchange.body = body.whole() ?? body
    }
    this.answer(exchange)
    return at
  }

  private paceBody(body: IncomingBody): void {
    const { deadlines, options } = this
    this.bodyRate ??= new LeastRate(deadlines, options.leastRate, options.bodyTimeout, {
      moved: () => this.body?.received ?? 0,
      tooSlow: () => this.bodyTooSlow(),
    })
    this.bodyRate.begin()
    // A client that asks first sends nothing before it is answered.
    if (body.received === 0 && !this.expectsContinue) this.bodyRate.wait()
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
    this.state = 'waiting'
    this.deadline = Number.POSITIVE_INFINITY
    this.closeAfter = true
    this.clientCloses = false
    this.expectsContinue = false
    this.pauseReading()
    this.answer(exchange)
    return end
  }

  bodyWanted(): void {
    if (!this.expectsContinue) return
    this.expectsContinue = false
    this.bodyRate?.wait()
    this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1')
  }

  pauseReading(): void {
    this.socket.pause()
    this.bodyRate?.rest()
    // What keeps the body from being taken may be that the client does not take the reply to it.
    if (this.state === 'body') this.writeBlocked(this.socket.writableLength > 0)
  }

  resumeReading(): void {
    this.socket.resume()
    if (this.state !== 'body') return
    this.deadline = this.deadlines.in(this.options.bodyTimeout)
    this.bodyRate?.wait()
  }

  abandonBody(): void {
    this.closeAfter = true
    if (this.exchange === null) this.linger()
    else this.pauseReading()
  }
}
