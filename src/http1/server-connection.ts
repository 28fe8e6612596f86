import type { Socket } from 'node:net'
import { Bytes, cancelBody, isStream } from '../http/body.ts'
import { asGatewayError, errorTable, GatewayError } from '../core/errors.ts'
import type { Client } from '../http/exchange.ts'
import type { Headers } from '../http/headers.ts'
import { discardReply, isLasting, type Reply } from '../http/reply.ts'
import type { Upgrade } from '../http/upgrade.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { LingeringClose } from './lingering-close.ts'
import { MessageWriter, type WriterOwner } from './message-writer.ts'
import { ReplyPace } from './reply-pace.ts'
import { ReadAhead } from './read-ahead.ts'
import { interimHead, replyHead, upgradeHead } from './reply-head.ts'
import type { RequestHead } from './request-head.ts'
import { RequestReader } from './request-reader.ts'
import { hasNoContent } from '../http/content.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { ServedConnection, ServerHandler, ServerOptions, SlowReason } from '../http/server-handler.ts'
import { reset } from '../http/reset.ts'
import { GOING_AWAY } from '../http/websocket-close.ts'

/** A client's connection: reads requests one after another, and answers them in order. */
export class ServerConnection extends RequestReader implements WriterOwner, ServedConnection {
  /** Address of the peer, or of whom that has introduced in the PROXY protocol: the listener puts it there before anything is read. */
  peer: string

  private readonly handler: ServerHandler
  protected readonly writer: MessageWriter
  /** Status of the reply that is being written, 0 before. */
  private status = 0
  private draining = false
  private clientEnded = false
  /** The reply that is being written is a stream of events. */
  private lasting = false
  private retiring = false
  private readonly pace: ReplyPace
  private readonly onReply = (reply: Reply): void => this.reply(reply)
  private readonly onRejected = (error: unknown): void => {
    if (this.exchange !== null) this.reply(this.handler.refuse(error, this.peer, this.exchange))
  }

  /** Takes over a connected socket, whose octets the caller hands to `read`. `head` may be shared by all connections of a thread: it is read at once. */
  constructor(socket: Socket, handler: ServerHandler, options: ServerOptions, deadlines: Deadlines, head: RequestHead) {
    super(socket, options, deadlines, head)
    this.peer = socket.remoteAddress ?? ''
    this.handler = handler
    this.writer = new MessageWriter(this, new ReadAhead())
    this.pace = new ReplyPace(socket, this.writer, deadlines, options.leastRate, () => this.replyTooSlow('reply-rate'))
    deadlines.watch(this)
    socket.on('drain', () => (this.tunnel === null ? this.writer.drained() : this.tunnel.clientDrained()))
    socket.on('end', () => this.ended())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.gone())
  }

  get inFlight(): number {
    return this.exchange === null ? 0 : 1
  }

  retire(): void {
    this.retiring = true
  }

  makeWay(): void {
    const { exchange } = this
    this.handler.slow('connections')
    if (exchange !== null) exchange.error ??= new GatewayError('request-timeout', 'Others needed the connection.')
    if (this.state === 'idle') this.socket.destroy()
    else reset(this.socket)
  }

  drain(): void {
    this.draining = true
    if (this.state === 'idle') this.linger()
  }

  cutOff(): void {
    // A reset keeps the client from taking what it has of a reply for whole.
    if (this.tunnel !== null) this.tunnel.leave(GOING_AWAY)
    else if (this.exchange !== null || this.socket.writableLength > 0) reset(this.socket)
    else this.socket.destroy()
  }

  // Replying

  protected identify(head: RequestHead): Client {
    return this.handler.identify(this, head)
  }

  protected answer(exchange: ServerExchange): void {
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
    // 1. A body that nobody reads to its end leaves no way to find the next request.
    if (this.draining || this.retiring || (this.state === 'body' && !this.body!.flowing)) this.closeAfter = true
    this.expectsContinue = false

    // 2. The head, which says how this client can see the end of the content.
    const { status, body } = reply
    const empty = hasNoContent(exchange.method, status)
    const chunked = body !== null && body.length < 0 && exchange.protocol !== '1.0'
    if (body !== null && body.length < 0 && !chunked) this.closeAfter = true
    this.status = status
    this.lasting = isLasting(reply)
    this.pace.begin()
    // Of unknown length, and with a reply on its way, it may be one side of a conversation.
    if (this.body !== null && this.body.length < 0) this.bodyRate?.excuse()
    const head = replyHead(reply, empty, exchange.protocol, this.closeAfter, this.deadlines.dateField)

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
    if (this.clientEnded) this.tunnel.clientEnded()
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
  messageFailed(error: Error): void {
    const { exchange } = this
    // What ended it for the client's own doing is told by the log; the rest is the service's.
    if (exchange !== null && error instanceof GatewayError && error.fault === 'client') exchange.error ??= error
    this.over(false, error)
    reset(this.socket)
  }

  writeBlocked(blocked: boolean): void {
    if (blocked && this.exchange !== null) this.pace.wait()
    else this.pace.rest()
    if (this.state !== 'waiting' && !(this.state === 'body' && this.socket.isPaused())) return
    if (!blocked && this.state === 'waiting' && this.exchange === null) return this.next()
    if (blocked) this.awaitReading()
    else this.deadline = Number.POSITIVE_INFINITY
  }

  private replyTooSlow(reason: SlowReason): void {
    const { exchange } = this
    this.handler.slow(reason)
    if (exchange !== null) exchange.error ??= new GatewayError('request-timeout', 'The reply was not read in time.')
    reset(this.socket)
  }

  protected bodyTooSlow(): void {
    this.handler.slow('body-rate')
    if (this.exchange !== null && this.status !== 0) return reset(this.socket)
    this.refuse(new GatewayError('request-timeout', 'The request body came too slowly.'))
  }

  /** The client has to take something within `writeTimeout`. */
  private awaitReading(): void {
    this.pace.mark()
    this.deadline = this.deadlines.in(this.options.writeTimeout)
  }

  private over(whole: boolean, cause: Error | null = null): void {
    const exchange = this.exchange!
    this.exchange = null
    // What is kept for the client is still to be taken at the least rate.
    if (!this.writer.waits) this.pace.rest()
    this.handler.done(exchange, this.status, this.tunnel?.bytes ?? this.writer.bytes, whole, cause)
  }

  protected next(): void {
    this.body = null
    if (this.closeAfter || this.draining) return this.hangUp()
    // A client that does not read its replies is not asked for more: they would pile up here.
    if (this.socket.writableNeedDrain) {
      this.state = 'waiting'
      return this.awaitReading()
    }
    this.state = 'idle'
    this.deadline = this.deadlines.in(this.options.idleTimeout)
    if (this.input.length > 0) this.socket.resume()
    this.input.again()
    if (this.clientEnded && !this.input.busy) this.endAfterRequests()
  }

  // Endings

  /** What was read cannot be used: answers if nothing has been answered yet, and reads no further request. */
  protected refuse(error: unknown): void {
    const { exchange, body } = this
    if (this.socket.destroyed) return
    this.closeAfter = true
    // Whatever it has asked for, it may still be sending.
    this.clientCloses = false
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
    this.socket.write(replyHead(reply, false, '1.1', true, this.deadlines.dateField) + content, 'latin1')
    this.linger()
  }

  /** A client that has asked for the end sends no more, and need not be given time to read first. */
  private hangUp(): void {
    if (!this.clientCloses || this.input.length > 0) return this.linger()
    this.state = 'closing'
    // TLS has an end of its own, without which a client may take it for cut off (RFC 8446 section 6.1).
    if (this.socket.writableLength === 0 && !('encrypted' in this.socket)) return void this.socket.destroy()
    this.awaitReading()
    this.socket.destroySoon()
  }

  protected linger(): void {
    if (this.closing !== null) return
    this.state = 'closing'
    this.bodyRate?.rest()
    this.deadline = Number.POSITIVE_INFINITY
    this.closing = new LingeringClose(this.socket, this.deadlines, this.options.writeTimeout)
  }

  /**
   * The client sends no more. What it has asked for it still gets (RFC 9112 section 9.6), unless that is not whole, or a stream of events.
   */
  private ended(): void {
    if (this.tunnel !== null) return this.tunnel.clientEnded()
    this.clientEnded = true
    if (this.exchange === null || this.state === 'body') return this.endAfterRequests()
    if (this.lasting && this.status !== 0) return void this.socket.destroy()
    if (this.input.length === 0) this.closeAfter = this.clientCloses = true
  }

  private endAfterRequests(): void {
    if (this.state === 'head' || (this.state === 'body' && this.exchange !== null)) this.socket.destroy()
    else if (this.exchange === null && this.input.length === 0) this.socket.end()
  }

  onDeadline(): void {
    if (this.state === 'idle') return this.linger()
    const replying = this.exchange !== null && this.status !== 0
    if (replying || (this.state !== 'head' && this.state !== 'body')) {
      if (this.pace.progressed) return this.awaitReading()
      return this.replyTooSlow('reply-timeout')
    }
    this.refuse(new GatewayError('request-timeout', `The request ${this.state} did not arrive in time.`))
  }

  private gone(): void {
    this.deadlines.forget(this)
    if (this.bodyRate !== null) this.deadlines.forget(this.bodyRate)
    this.pace.close()
    this.writer.stop()
    this.tunnel?.close()
    if (this.body !== null && !this.body.finished) this.body.fail(new GatewayError('client-closed'))
    if (this.exchange !== null) {
      if (this.tunnel === null) this.exchange.abort()
      if (this.status === 0) this.status = errorTable['client-closed'].status
      this.over(this.tunnel !== null, this.tunnel?.error ?? null)
    }
    this.handler.closed(this)
  }
}
