import type { Socket } from 'node:net'
import { Bytes, cancelBody, isStream } from '../core/body.ts'
import { asGatewayError, errorTable, GatewayError } from '../core/errors.ts'
import type { Client } from '../core/exchange.ts'
import type { Headers } from '../core/headers.ts'
import type { Reply } from '../core/reply.ts'
import type { Tunnel, Upgrade } from '../core/upgrade.ts'
import { CR, LF } from './characters.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { INCOMPLETE } from './fields.ts'
import { Input, type InputConsumer } from './input.ts'
import { type BodySource, type IncomingBody, WHOLE } from './incoming-body.ts'
import { LingeringClose } from './lingering-close.ts'
import { MessageWriter, type WriterOwner } from './message-writer.ts'
import { sharedBuffer } from './read-buffers.ts'
import { interimHead, replyHead, upgradeHead } from './reply-head.ts'
import { requestBody, tooLarge } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { hasNoContent } from './response-head.ts'
import { type Informed, ServerExchange } from './server-exchange.ts'
import type { ServerHandler, ServerOptions } from './server-handler.ts'

/**
 * idle: between requests; head, body: reading one; waiting: for the reply; tunnel: no longer HTTP; closing: only
 * reading what is thrown away.
 */
type State = 'idle' | 'head' | 'body' | 'waiting' | 'tunnel' | 'closing'

/**
 * A client's connection: reads requests one after another, answers them in order, and never holds more of a client's
 * octets than were read at once.
 */
export class ServerConnection implements BodySource, WriterOwner, InputConsumer, Informed, Timed {
  readonly socket: Socket
  /** Address of the peer, which may be a proxy. */
  readonly peer: string
  /** For `identify` to keep what it found out about an untrusted peer. */
  client: Client | null = null
  deadline: number

  private readonly handler: ServerHandler
  private readonly options: ServerOptions
  private readonly deadlines: Deadlines
  private readonly head: RequestHead
  private readonly writer: MessageWriter
  private readonly input: Input
  private state: State = 'idle'
  private exchange: ServerExchange | null = null
  private body: IncomingBody | null = null
  /** Status of the reply that is being written, 0 before. */
  private status = 0
  private draining = false
  private closeAfter = false
  /** The client has asked for that. */
  private clientCloses = false
  private expectsContinue = false
  private closing: LingeringClose | null = null
  private tunnel: Tunnel | null = null
  private readonly onReply = (reply: Reply): void => this.reply(reply)
  private readonly onRejected = (error: unknown): void => {
    if (this.exchange !== null) this.reply(this.handler.refuse(error, this.peer, this.exchange))
  }

  /** Takes over a connected socket, whose octets the caller hands to `read`. `head` may be shared by all connections of a thread: it is read at once. */
  constructor(socket: Socket, handler: ServerHandler, options: ServerOptions, deadlines: Deadlines, head: RequestHead) {
    this.socket = socket
    this.peer = socket.remoteAddress ?? ''
    this.handler = handler
    this.options = options
    this.deadlines = deadlines
    this.head = head
    this.writer = new MessageWriter(this)
    this.input = new Input(this)
    this.deadline = deadlines.in(options.idleTimeout)
    deadlines.watch(this)
    socket.on('drain', () => (this.tunnel === null ? this.writer.drained() : this.tunnel.clientDrained()))
    socket.on('end', () => this.ended())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.gone())
  }

  /** Whether a request is not yet answered whole. */
  get busy(): boolean {
    return this.exchange !== null
  }

  /** No further request: an idle connection ends now, a busy one after its reply. */
  drain(): void {
    this.draining = true
    if (this.state === 'idle') this.linger()
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.tunnel?.destroy()
    this.socket.destroy()
  }

  // Reading

  /** What is to be read into next. */
  get readBuffer(): Buffer {
    return this.body === null ? sharedBuffer : this.body.readBuffer
  }

  /** Takes octets from the socket, which are only lent. */
  read(octets: Buffer, end: number): void {
    if (this.closing !== null) return this.closing.discard(end)
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
    this.state = 'waiting'
    this.deadline = Number.POSITIVE_INFINITY
    if (this.exchange === null) this.next()
    return at
  }

  /** A whole head was read: makes the exchange of it, with its body or what is there of it, and has it answered. */
  private begin(octets: Buffer, bodyStart: number, end: number): number {
    const { head, options } = this
    const exchange = new ServerExchange(head, this.handler.identify(this, head), this.deadlines.clock.now(), this)
    this.exchange = exchange
    this.status = 0
    this.closeAfter = this.clientCloses = head.close
    this.state = 'waiting'
    this.deadline = Number.POSITIVE_INFINITY
    const length = head.contentLength
    if (length > options.body) throw tooLarge(options.body)
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
      if (at < end) at = this.readBody(octets, at, end)
      exchange.body = body.whole() ?? body
    }
    this.answer(exchange)
    return at
  }

  private answer(exchange: ServerExchange): void {
    let reply: Reply | Promise<Reply>
    try {
      reply = this.handler.handle(exchange)
    } catch (error) {
      reply = this.handler.refuse(error, this.peer, exchange)
    }
    if (reply instanceof Promise) reply.then(this.onReply, this.onRejected)
    else this.reply(reply)
  }

  bodyWanted(): void {
    if (!this.expectsContinue) return
    this.expectsContinue = false
    this.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1')
  }

  pauseReading(): void {
    this.socket.pause()
    // What keeps the body from being taken may be that the client does not take the reply to it.
    if (this.state === 'body') this.writeBlocked(this.socket.writableNeedDrain)
  }

  resumeReading(): void {
    this.socket.resume()
    if (this.state === 'body') this.deadline = this.deadlines.in(this.options.bodyTimeout)
  }

  abandonBody(): void {
    this.closeAfter = true
    if (this.exchange === null) this.linger()
    else this.pauseReading()
  }

  // Replying

  private reply(reply: Reply): void {
    const { exchange } = this
    if (exchange === null || this.socket.destroyed) {
      reply.upgrade?.refuse()
      return cancelBody(reply.body)
    }
    exchange.waiter = null
    if (reply.upgrade !== null || isStream(reply.body)) exchange.repliedAt = this.deadlines.clock.now()
    if (reply.upgrade !== null) return this.change(reply, reply.upgrade)
    // 1. A body that nobody reads to its end leaves no way to find the next request.
    if (this.draining || (this.state === 'body' && !this.body!.flowing)) this.closeAfter = true
    this.expectsContinue = false

    // 2. The head, which says how this client can see the end of the content.
    const { status, body } = reply
    const empty = hasNoContent(exchange.method, status)
    const chunked = body !== null && body.length < 0 && exchange.minor === 1
    if (body !== null && body.length < 0 && !chunked) this.closeAfter = true
    this.status = status
    const head = replyHead(reply, empty, exchange.minor, this.closeAfter, this.deadlines.dateField)

    // 3. Head and body.
    if (empty) cancelBody(body)
    this.writer.send(head, empty ? null : body, chunked)
  }

  inform(status: number, headers: Headers): void {
    if (this.status === 0) this.socket.write(interimHead(status, headers), 'latin1')
  }

  /** The service has agreed to another protocol: what follows its 101 reply is no longer HTTP. */
  private change(reply: Reply, upgrade: Upgrade): void {
    this.state = 'tunnel'
    this.status = reply.status
    this.deadline = Number.POSITIVE_INFINITY
    this.socket.write(upgradeHead(reply, upgrade.protocol), 'latin1')
    this.tunnel = upgrade.open(this.socket)
    const early = this.input.take()
    if (early !== null) this.tunnel.fromClient(early)
    this.socket.resume()
  }

  /** The reply was handed to the socket whole. */
  messageWritten(): void {
    this.over(true)
    if (this.state !== 'body') return this.next()
    // The service has answered before it had all of the request: the rest is still read by it, or by nobody.
    if (this.closeAfter || !this.body!.flowing) this.linger()
  }

  /** The reply broke off: a reset keeps the client from taking it for whole. */
  messageFailed(): void {
    this.over(false)
    this.socket.resetAndDestroy()
  }

  writeBlocked(blocked: boolean): void {
    if (this.state !== 'waiting' && !(this.state === 'body' && this.socket.isPaused())) return
    if (!blocked && this.state === 'waiting' && this.exchange === null) return this.next()
    this.deadline = blocked ? this.deadlines.in(this.options.writeTimeout) : Number.POSITIVE_INFINITY
  }

  private over(whole: boolean): void {
    const exchange = this.exchange!
    this.exchange = null
    this.handler.done(exchange, this.status, this.tunnel?.bytes ?? this.writer.bytes, whole)
  }

  private next(): void {
    this.body = null
    if (this.closeAfter || this.draining) return this.hangUp()
    // A client that does not read its replies is not asked for more: they would pile up here.
    if (this.socket.writableNeedDrain) {
      this.state = 'waiting'
      this.deadline = this.deadlines.in(this.options.writeTimeout)
      return
    }
    this.state = 'idle'
    this.deadline = this.deadlines.in(this.options.idleTimeout)
    if (this.input.length > 0) this.socket.resume()
    this.input.again()
  }

  // Endings

  /** What was read cannot be used: answers if nothing has been answered yet, and reads no further request. */
  private refuse(error: unknown): void {
    const { exchange, body } = this
    if (this.socket.destroyed) return
    this.closeAfter = true
    this.state = 'waiting'
    this.deadline = Number.POSITIVE_INFINITY
    this.pauseReading()
    // Whoever reads it tells the client; a policy may have put something of its own around it.
    if (body !== null && exchange !== null && exchange.body !== null) return body.fail(asGatewayError(error))
    // The rest of a body whose exchange is over: there is nothing more to answer.
    if (body !== null && exchange === null) {
      body.fail(asGatewayError(error))
      return this.linger()
    }
    const reply = this.handler.refuse(error, this.peer, exchange)
    if (exchange !== null) return this.reply(reply)
    const content = reply.body instanceof Bytes ? reply.body.toLatin1() : ''
    this.socket.write(replyHead(reply, false, 1, true, this.deadlines.dateField) + content, 'latin1')
    this.linger()
  }

  /** A client that has asked for the end sends no more, and need not be given time to read first. */
  private hangUp(): void {
    if (!this.clientCloses || this.input.length > 0) return this.linger()
    this.state = 'closing'
    if (this.socket.writableLength === 0) return void this.socket.destroy()
    this.deadline = this.deadlines.in(this.options.writeTimeout)
    this.socket.destroySoon()
  }

  private linger(): void {
    if (this.closing !== null) return
    this.state = 'closing'
    this.deadline = Number.POSITIVE_INFINITY
    this.closing = new LingeringClose(this.socket, this.deadlines, this.options.writeTimeout)
  }

  /** The client sends no more. In the middle of an exchange that means that it has left. */
  private ended(): void {
    if (this.tunnel !== null) this.tunnel.clientEnded()
    else if (this.state === 'head' || this.exchange !== null) this.socket.destroy()
    else this.socket.end()
  }

  onDeadline(): void {
    if (this.state === 'idle') return this.linger()
    const replying = this.exchange !== null && this.status !== 0
    if (replying || (this.state !== 'head' && this.state !== 'body')) return void this.socket.resetAndDestroy()
    this.refuse(new GatewayError('request-timeout', `The request ${this.state} did not arrive in time.`))
  }

  private gone(): void {
    this.deadlines.forget(this)
    this.writer.stop()
    this.tunnel?.close()
    if (this.body !== null && !this.body.finished) this.body.fail(new GatewayError('client-closed'))
    if (this.exchange !== null) {
      if (this.tunnel === null) this.exchange.abort()
      if (this.status === 0) this.status = errorTable['client-closed'].status
      this.over(this.tunnel !== null)
    }
    this.handler.closed(this)
  }
}
