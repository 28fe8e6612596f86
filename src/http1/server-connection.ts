import type { Socket } from 'node:net'
import { Bytes, cancelBody, isStream } from '../http/body.ts'
import { asGatewayError, errorTable, GatewayError } from '../core/errors.ts'
import type { Client } from '../http/exchange.ts'
import type { Headers } from '../http/headers.ts'
import { discardReply, isLasting, type Reply } from '../http/reply.ts'
import type { Upgrade } from '../http/upgrade.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { MessageWriter, type WriterOwner } from './message-writer.ts'
import { ReplyPace } from '../http/reply-pace.ts'
import { ReadAhead } from '../http/read-ahead.ts'
import { CONTINUE, interimHead, replyHead, upgradeHead } from './reply-head.ts'
import type { RequestHead } from './request-head.ts'
import { type RequestOwner, RequestReader, type ServerTools } from './request-reader.ts'
import { TunnelSocket } from './tunnel-socket.ts'
import { hasNoContent } from '../http/content.ts'
import { type InterimSink, ServerExchange } from '../http/server-exchange.ts'
import type { Running, ServedConnection, ServerHandler, ServerOptions, SlowReason } from '../http/server-handler.ts'
import type { Reader } from '../http/read-buffers.ts'
import { reset } from '../http/reset.ts'
import { watchPeer } from '../http/watch-peer.ts'
import { GOING_AWAY } from '../http/websocket-close.ts'

/**
 * How long, in milliseconds, after a client has ended its side it is probed whether it still wants a reply: most
 * replies come sooner.
 */
const SOON = 200

/** A client's connection: reads requests one after another, and answers them in order. */
export class ServerConnection implements RequestOwner, WriterOwner, ServedConnection, InterimSink, Timed {
  readonly socket: Socket
  /** Address of the peer, or of the client that a proxy has introduced with the PROXY protocol. */
  readonly peer: string

  client: Client | null = null
  deadline: number
  watchIndex = -1
  servedIndex = -1
  countedFor = ''
  order = 0

  private readonly handler: ServerHandler
  private readonly tools: ServerTools
  private readonly options: ServerOptions
  private readonly deadlines: Deadlines
  private readonly reader: RequestReader
  private readonly writer: MessageWriter
  private readonly ahead: ReadAhead
  /** Reads from the socket instead, once the client has started with another protocol. */
  private successor: Reader | null = null
  private exchange: ServerExchange | null = null
  private closeAfter = false
  /** The client has requested that the connection be closed. */
  private clientCloses = false
  /** Status of the reply that is being written, 0 before. */
  private status = 0
  private draining = false
  private clientEnded = false
  /** Number of probes sent since the client has ended its side. */
  private probes = 0
  /** The reply that is being written is an event stream. */
  private lasting = false
  private retiring = false
  private readonly pace: ReplyPace
  private readonly onDrain = (): void => this.drained()
  private readonly onEnd = (): void => this.ended()
  private readonly onError = (): unknown => this.socket.destroy()
  private readonly onClose = (): void => this.onClosed()
  private readonly onReply = (reply: Reply): void => this.reply(reply)
  private readonly onRejected = (error: unknown): void => {
    if (this.exchange !== null) this.reply(this.handler.refuse(error, this.peer, this.exchange))
  }

  /** Takes over a connected socket, whose bytes the caller passes to `read`. */
  constructor(socket: Socket, peer: string, handler: ServerHandler, tools: ServerTools) {
    const { options, deadlines } = tools
    this.socket = socket
    this.peer = peer
    this.handler = handler
    this.tools = tools
    this.options = options
    this.deadlines = deadlines
    this.deadline = deadlines.in(options.idleTimeout)
    this.reader = new RequestReader(socket, tools, this)
    this.ahead = new ReadAhead(peer)
    this.writer = new MessageWriter(this, this.ahead)
    this.pace = new ReplyPace(socket, this.writer, tools, () => this.replyTooSlow('reply-rate'))
    deadlines.watch(this)
    socket.on('drain', this.onDrain)
    socket.on('end', this.onEnd)
    socket.on('error', this.onError)
    socket.on('close', this.onClose)
  }

  get inFlight(): number {
    return this.exchange === null ? 0 : 1
  }

  get running(): readonly Running[] {
    const { exchange, reader } = this
    if (exchange === null) return []
    const lasts = reader.tunnel !== null || (this.lasting && this.status !== 0)
    return [{ exchange, lasts, end: () => (this.exchange === exchange ? this.leadNowhere(exchange) : 'over') }]
  }

  get idle(): boolean {
    return this.reader.state === 'idle' && !this.socket.destroyed
  }

  get waitsForClient(): boolean {
    return this.reader.waitsForClient
  }

  /** The buffer for the next read. */
  get readBuffer(): Buffer {
    const { successor, reader } = this
    return successor === null ? reader.readBuffer : successor.readBuffer
  }

  /** Takes bytes from the socket; they are only lent. */
  read(bytes: Buffer, end: number): void {
    if (this.successor !== null) this.successor.read(bytes, end)
    else this.reader.read(bytes, end)
  }

  reconfigure(): void {
    // Nothing to do: the options are looked up for each request.
  }

  retire(): void {
    this.retiring = true
  }

  preempt(): void {
    const { exchange } = this
    this.flush()
    this.handler.slow('connections')
    if (exchange !== null)
      exchange.error ??= new GatewayError('request-timeout', 'The connection was needed for other clients.')
    if (this.reader.state === 'idle') this.socket.destroy()
    else reset(this.socket)
  }

  drain(): void {
    this.draining = true
    if (this.reader.state === 'idle') this.reader.linger()
  }

  cutOff(): void {
    // A reset keeps the client from taking a partial reply for a complete one.
    const { tunnel } = this.reader
    this.flush()
    if (tunnel !== null) tunnel.leave(GOING_AWAY)
    else if (this.exchange !== null || this.socket.writableLength > 0) reset(this.socket)
    else this.socket.destroy()
  }

  /** The route of the exchange is no longer in use. */
  private leadNowhere(exchange: ServerExchange): ReturnType<Running['end']> {
    const { tunnel, state } = this.reader
    if (tunnel !== null) {
      tunnel.leave(GOING_AWAY)
      return 'ended'
    }
    if (this.status === 0 && state !== 'body') return 'waits'
    const error = new GatewayError('route-changed', 'The route has changed: try again.', {
      headers: [['Retry-After', '1']],
    })
    if (this.status === 0) this.refuse(error)
    else {
      exchange.error ??= error
      reset(this.socket)
    }
    return 'ended'
  }

  // Requests.

  get speaksHttp2(): boolean {
    return this.options.http2 === true && this.tools.http2 !== undefined
  }

  beginsWithHttp2(bytes: Buffer): void {
    const successor = this.tools.http2?.(this)
    if (successor === undefined) return
    this.socket.off('drain', this.onDrain).off('end', this.onEnd).off('error', this.onError).off('close', this.onClose)
    this.deadlines.forget(this)
    this.pace.close()
    this.successor = successor
    successor.read(Buffer.from(bytes), bytes.length)
  }

  begin(head: RequestHead): ServerExchange {
    const exchange = new ServerExchange(head, this.handler.identify(this, head), this.deadlines.clock.now(), this)
    if (head.nominated !== null) for (const name of head.nominated) exchange.headers.delete(name)
    this.exchange = exchange
    this.closeAfter = this.clientCloses = head.close
    return exchange
  }

  readNoFurther(): void {
    this.closeAfter = true
    // Even if it has requested that the connection be closed, the client may still be sending.
    this.clientCloses = false
  }

  bodyArrived(): void {
    if (this.exchange === null) this.next()
    else if (this.writer.waits) this.writeBlocked(true)
  }

  bodyPaused(): void {
    // The body may be blocked because the client does not take the reply to it.
    this.writeBlocked(this.socket.writableLength > 0)
  }

  bodyAbandoned(): void {
    this.closeAfter = true
    if (this.exchange === null) this.reader.linger()
    else this.reader.pauseReading()
  }

  bodyTooSlow(): void {
    this.handler.slow('body-rate')
    if (this.exchange !== null && this.status !== 0) return reset(this.socket)
    this.refuse(new GatewayError('request-timeout', 'The request body arrived too slowly.'))
  }

  flush(): void {
    this.writer.flush()
  }

  // Replies.

  answer(exchange: ServerExchange): void {
    this.status = 0
    let reply: Reply | Promise<Reply>
    try {
      reply = this.handler.handle(exchange)
    } catch (error) {
      reply = this.handler.refuse(error, this.peer, exchange)
    }
    if (reply instanceof Promise) reply.then(this.onReply, this.onRejected)
    else this.reply(reply)
  }

  private reply(reply: Reply): void {
    const { exchange } = this
    if (exchange === null || this.socket.destroyed) return discardReply(reply)
    exchange.waiter = null
    if (reply.upgrade !== null || isStream(reply.body)) exchange.repliedAt = this.deadlines.clock.now()
    if (reply.upgrade !== null) return this.change(reply, reply.upgrade)
    this.lasting = isLasting(reply)
    if (this.clientEnded) this.deadline = Number.POSITIVE_INFINITY
    if (this.lasting && this.clientEnded) return this.leaveOut(reply)
    // 1. If a body is not read to its end, the next request cannot be found.
    if (this.draining || this.retiring || this.reader.stuck) this.closeAfter = true
    this.reader.replyBegins()

    // 2. The head, with framing that this client understands.
    const { status, body } = reply
    const empty = hasNoContent(exchange.method, status)
    const chunked = body !== null && body.length < 0 && exchange.protocol !== '1.0'
    if (body !== null && body.length < 0 && !chunked) this.closeAfter = true
    this.status = status
    this.pace.begin()
    const head = replyHead(reply, empty, exchange.protocol, this.closeAfter, this.deadlines.dateField)

    // 3. Head and body.
    if (empty) cancelBody(body)
    else if (isStream(body)) this.ahead.isFor(exchange.client.address)
    this.writer.send(head, empty ? null : body, chunked)
  }

  /**
   * Closes the connection instead of sending a long-lived reply: a client that has left cannot be told from one that
   * has only ended its side.
   */
  private leaveOut(reply: Reply): void {
    discardReply(reply)
    this.socket.destroy()
  }

  inform(status: number, headers: Headers): void {
    if (this.status === 0) this.writer.writeBeside(interimHead(status, headers))
  }

  /** The service has accepted the upgrade: what follows its 101 reply is no longer HTTP. */
  private change(reply: Reply, upgrade: Upgrade): void {
    this.status = reply.status
    this.writer.writeBeside(upgradeHead(reply, upgrade.protocol))
    this.flush()
    const tunnel = upgrade.open(new TunnelSocket(this.socket, () => this.awaitReading()))
    this.reader.passTo(tunnel)
    if (this.socket.writableNeedDrain) this.awaitReading()
    if (this.clientEnded) tunnel.clientEnded()
    this.socket.resume()
  }

  /** The whole reply was handed to the socket. */
  messageWritten(): void {
    this.over(true)
    if (this.reader.state !== 'body') return this.next()
    // The service has replied before it received the whole request: the rest is still read by the service, or
    // discarded.
    if (this.closeAfter || this.reader.stuck) this.reader.linger()
  }

  /** The reply broke off: a reset keeps the client from taking it for complete. */
  messageFailed(error: Error): void {
    const { exchange } = this
    // An error that is the client's own fault is recorded with the exchange, for the log; any other is the service's.
    if (exchange !== null && error instanceof GatewayError && error.fault === 'client') exchange.error ??= error
    this.over(false, error)
    // Previous replies are complete.
    this.flush()
    reset(this.socket)
  }

  writeBlocked(blocked: boolean): void {
    if (blocked && this.exchange !== null) this.pace.wait()
    else this.pace.rest()
    const { state } = this.reader
    if (state !== 'waiting' && !(state === 'body' && this.socket.isPaused())) return
    if (!blocked && state === 'waiting' && this.exchange === null) return this.next()
    if (blocked) this.awaitReading()
    else this.deadline = Number.POSITIVE_INFINITY
  }

  full(): void {
    // The connection was taken for one that waits for the next request.
    if (this.reader.state !== 'idle') return
    this.reader.finish()
    this.awaitReading()
  }

  private replyTooSlow(reason: SlowReason): void {
    const { exchange } = this
    this.handler.slow(reason)
    if (exchange !== null) exchange.error ??= new GatewayError('request-timeout', 'The reply was not read in time.')
    reset(this.socket)
  }

  /** The client has to take something within `writeTimeout`. */
  private awaitReading(): void {
    this.pace.mark()
    this.deadline = this.deadlines.in(this.options.writeTimeout)
  }

  private over(whole: boolean, cause: Error | null = null): void {
    const { exchange } = this
    if (exchange === null) return
    this.exchange = null
    // What is buffered for the client still has to be taken at the minimum rate.
    if (!this.writer.waits) this.pace.rest()
    this.handler.done(exchange, this.status, this.reader.tunnel?.bytes ?? this.writer.bytes, whole, cause)
  }

  private drained(): void {
    const { tunnel } = this.reader
    if (tunnel === null) return this.writer.drained()
    this.deadline = Number.POSITIVE_INFINITY
    tunnel.clientDrained()
  }

  /** The exchange has ended and its request was read. */
  private next(): void {
    const { reader } = this
    reader.finish()
    if (this.closeAfter || this.draining) return this.hangUp()
    // A client that does not read its replies gets no further requests read: replies would pile up.
    if (this.socket.writableNeedDrain) return this.awaitReading()
    reader.next()
    if (this.clientEnded && !reader.busy) this.endAfterRequests()
  }

  // Closing.

  /** The data that was read is invalid: replies if that is still possible, and reads no further request. */
  refuse(error: unknown): void {
    const { exchange } = this
    if (this.socket.destroyed) return
    this.readNoFurther()
    const body = this.reader.hold()
    // The consumer of the body will report the error to the client, in a reply that policies may have changed.
    if (body !== null && exchange !== null && exchange.body !== null) return body.fail(asGatewayError(error))
    // The rest of a body whose exchange has ended: there is nothing to reply to.
    if (body !== null && exchange === null) {
      body.fail(asGatewayError(error))
      return this.reader.linger()
    }
    const reply = this.handler.refuse(error, this.peer, exchange)
    if (exchange !== null) return this.reply(reply)
    const content = reply.body instanceof Bytes ? reply.body.toLatin1() : ''
    this.writer.writeBeside(replyHead(reply, false, '1.1', true, this.deadlines.dateField) + content)
    this.reader.linger()
  }

  /** Closes the connection. A client that requested this sends no more, so there is no need to linger. */
  private hangUp(): void {
    if (!this.clientCloses || this.reader.unused > 0) return this.reader.linger()
    this.flush()
    this.reader.discard()
    // TLS needs a close_notify, without which the client may take the data for truncated (RFC 8446 section 6.1).
    if (this.socket.writableLength === 0 && !('encrypted' in this.socket)) return void this.socket.destroy()
    this.awaitReading()
    this.socket.destroySoon()
  }

  /**
   * The client has ended its side. Complete requests are still answered (RFC 9112 section 9.6), but not with an event
   * stream.
   */
  private ended(): void {
    const { exchange } = this
    const { tunnel, state, unused } = this.reader
    if (tunnel !== null) return tunnel.clientEnded()
    this.clientEnded = true
    if (exchange === null || state === 'body') return this.endAfterRequests()
    if (this.status !== 0 && (this.lasting || exchange.route.streaming === true)) return void this.socket.destroy()
    if (unused === 0) this.closeAfter = this.clientCloses = true
    watchPeer(this.socket)
    if (this.status === 0 && exchange.protocol !== '1.0') this.deadline = this.deadlines.in(SOON)
  }

  /**
   * Sends an interim response to find out whether the client is still there. One that has left answers with a reset;
   * one that has only ended its side may discard it (RFC 9110 section 15.2.1). Once a client has ended its side nothing
   * more is read, and a reset is only noticed by the next write.
   */
  private probeClient(): void {
    this.flush()
    this.socket.write(CONTINUE, 'latin1')
    if (++this.probes < 2) this.deadline = this.deadlines.in(0)
  }

  private endAfterRequests(): void {
    const { state, unused } = this.reader
    this.flush()
    if (state === 'head' || (state === 'body' && this.exchange !== null)) this.socket.destroy()
    else if (this.exchange === null && unused === 0) this.socket.end()
  }

  onDeadline(): void {
    const { state } = this.reader
    if (state === 'idle') return this.reader.linger()
    // All was taken: once the service has ended its side, there is no 'drain' to say so.
    if (state === 'tunnel' && this.socket.writableLength === 0) return
    if (state === 'waiting' && this.clientEnded && this.exchange !== null && this.status === 0)
      return this.probeClient()
    const replying = this.exchange !== null && this.status !== 0
    if (replying || (state !== 'head' && state !== 'body')) {
      if (this.pace.progressed) return this.awaitReading()
      return this.replyTooSlow('reply-timeout')
    }
    this.refuse(new GatewayError('request-timeout', `The request ${state} did not arrive in time.`))
  }

  private onClosed(): void {
    this.deadlines.forget(this)
    this.pace.close()
    this.writer.stop()
    this.reader.close()
    const { tunnel } = this.reader
    if (this.exchange !== null) {
      if (tunnel === null) this.exchange.abort()
      if (this.status === 0) this.status = errorTable['client-closed'].status
      this.over(tunnel !== null, tunnel?.error ?? null)
    }
    this.handler.closed(this)
  }
}
