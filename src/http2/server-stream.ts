import { type Bytes, cancelBody, isStream } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import { type Headers, wireOf } from '../http/headers.ts'
import { hasNoContent } from '../http/content.ts'
import { tooLarge } from '../http/limited-body.ts'
import { ReadAhead } from '../http/read-ahead.ts'
import { discardReply, isLasting, type Reply } from '../http/reply.ts'
import type { InterimSink, ServerExchange } from '../http/server-exchange.ts'
import type { Running } from '../http/server-handler.ts'
import { ErrorCode } from './errors.ts'
import { encodeFields, encodeReply } from './hpack/encoder.ts'
import { urgencyOf } from './priority.ts'
import { type ContentOwner, ContentWriter } from './content-writer.ts'
import { callSection, replySection } from './reply-head.ts'
import { ServedTunnel } from './served-tunnel.ts'
import { type BodyOwner, StreamBody } from './stream-body.ts'
import type { SendingStream } from './sender.ts'
import { StreamPace } from './stream-pace.ts'
import { StreamRoom } from './stream-room.ts'
import type { StreamTools } from './stream-tools.ts'

/** One request and its reply on a client's connection (RFC 9113 section 5). */
export class ServerStream implements BodyOwner, ContentOwner, SendingStream, InterimSink, Running {
  readonly id: number
  /** Bytes that may be sent to the client; below 0 where it has reduced its windows. */
  window: number
  lending = false
  /** The client has ended the stream. */
  clientEnded = false

  private readonly tools: StreamTools
  private running: ServerExchange | null = null
  private body: StreamBody | null = null
  private writer: ContentWriter | null = null
  private tunnel: ServedTunnel | null = null
  private pace: StreamPace | null = null
  /** Urgency of the reply; -1 until it is first needed. */
  private urgent = -1
  private expectsContinue = false
  /** Status of the reply that is being written, 0 before. */
  private status = 0
  private streaming = false
  /** The whole reply has been sent, or never will be. */
  private replied = false
  private bytes = 0
  /** It has been removed from its connection. */
  private gone = false
  /** The window for what the client sends; null until it sends something. */
  private room: StreamRoom | null = null

  constructor(id: number, window: number, tools: StreamTools) {
    this.id = id
    this.window = window
    this.tools = tools
  }

  // For the gateway.

  /** Null once the exchange has ended. */
  get current(): ServerExchange | null {
    return this.running
  }

  get exchange(): ServerExchange {
    // Only streams with an exchange are exposed as running.
    return this.running ?? this.never()
  }

  get lasts(): boolean {
    return this.streaming && this.status !== 0
  }

  /** Whether the stream cannot continue before the client sends or takes something. */
  get waitsForClient(): boolean {
    return this.pace !== null && this.pace.waiting
  }

  end(): ReturnType<Running['end']> {
    const { running } = this
    if (running === null) return 'over'
    if (this.leaveTunnel()) return 'ended'
    if (this.status === 0 && (this.body === null || this.body.arrived)) return 'waits'
    const error = new GatewayError('route-changed', 'The route has changed: try again.', {
      headers: [['Retry-After', '1']],
    })
    this.giveUp(error)
    return 'ended'
  }

  /** Ends a tunnel shortly, with a Close frame for a WebSocket client; false where the stream is not a tunnel. */
  leaveTunnel(): boolean {
    this.tunnel?.leave()
    return this.tunnel !== null
  }

  // The request.

  /**
   * The head has been received. Content follows unless the stream has `ended`: `length` bytes, or -1 where that was not
   * announced. `whole` is all of the content where it is already available.
   */
  begin(exchange: ServerExchange, length: number, ended: boolean, whole: Bytes | null): void {
    const { options } = this.tools
    this.running = exchange
    this.clientEnded = ended || whole !== null
    if (whole !== null) exchange.body = whole
    else if (!ended) {
      if (length > options.body) exchange.refusal ??= tooLarge(options.body)
      this.body = new StreamBody(this, {
        length,
        client: this.client,
        limit: options.body,
        overLimit: () => tooLarge(options.body),
      })
      this.expectsContinue = exchange.expectsContinue
      // With a request for another protocol, what the client sends is not the body of the request.
      exchange.body = exchange.upgrade === null ? this.body : null
      if (exchange.refusal !== null) this.body.fail(exchange.refusal)
    }
    this.answer(exchange)
  }

  private answer(exchange: ServerExchange): void {
    const { handler, peer } = this.tools
    let reply: Reply | Promise<Reply>
    try {
      reply = handler.handle(exchange)
    } catch (error) {
      reply = handler.refuse(error, peer, exchange)
    }
    if (!(reply instanceof Promise)) return this.reply(reply)
    reply.then(
      (settled) => this.reply(settled),
      (error: unknown) => this.reply(handler.refuse(error, peer, exchange)),
    )
  }

  /** Content of the request; it is lent. */
  content(bytes: Buffer): void {
    if (this.body === null) return this.bodyTaken(bytes.length)
    this.pace?.moved(bytes.length)
    this.body.push(bytes)
  }

  /** Charges bytes of a DATA frame to the window; returns whether there was room for them. */
  receives(bytes: number): boolean {
    this.room ??= new StreamRoom(this.id, this.tools.sender.output, this.client)
    return this.room.receives(bytes)
  }

  /** Bytes of padding, which are consumed at once. */
  padding(bytes: number): void {
    this.bodyTaken(bytes)
  }

  /** Whether that many more bytes of content are within what the head announced. */
  expects(bytes: number): boolean {
    return this.body === null || this.body.length < 0 || this.body.received + bytes <= this.body.length
  }

  /** Whether the length of the content so far matches what the head announced. */
  get contentFits(): boolean {
    return this.body === null || this.body.length < 0 || this.body.length === this.body.received
  }

  /** Whether there is a reply, of which at least the head is being sent. */
  get hasBegunReply(): boolean {
    return this.status !== 0
  }

  /** The client has sent everything. */
  contentEnded(trailers: Headers | null): void {
    this.clientEnded = true
    this.body?.complete(trailers)
    this.leaveIfOver()
  }

  /** The client has reset the stream, the connection is closed, or what the client sends is invalid. */
  abort(error: GatewayError): void {
    const { running } = this
    this.clientEnded = true
    if (this.body !== null) this.body.fail(error)
    this.endPace()
    if (running === null) return
    if (error.code !== 'client-closed') running.error ??= error
    this.writer?.stop()
    if (this.tunnel !== null) {
      this.tunnel.close()
      return this.done(true, this.tunnel.error)
    }
    if (this.status === 0) this.status = error.status
    running.abort()
    this.done(false, null)
  }

  /** Ends the exchange with an error: as a reply, if none has begun yet. */
  giveUp(error: GatewayError): void {
    const { running, body } = this
    if (running === null) return
    // The consumer of the body will report the error to the client, in a reply that policies may have changed.
    if (this.status === 0 && body !== null && !body.over) return body.fail(error)
    running.error ??= error
    this.tools.endEarly(this, this.status === 0 ? ErrorCode.cancel : ErrorCode.internalError)
    this.abort(error)
  }

  // The body of the request.

  bodyWanted(): void {
    if (!this.expectsContinue || this.status !== 0) return
    this.expectsContinue = false
    this.tools.sender.putFields(this.id, encodeReply(100, ''), false)
  }

  bodyTaken(bytes: number): void {
    this.tools.room.consumed(bytes)
    if (this.clientEnded || this.gone) return this.releaseRoom()
    this.room?.consumed(bytes, this.body?.flowing === true)
  }

  /**
   * It has been removed from its connection. The extra window becomes available to others once no received data is
   * held.
   */
  leave(): void {
    this.gone = true
    this.releaseRoom()
  }

  private releaseRoom(): void {
    if (this.room !== null && (this.body === null || this.body.held === 0)) this.room.release()
  }

  bodyAwaitsPeer(): void {
    if (this.status !== 0 && (this.body?.length ?? 0) < 0) return
    if (this.running?.route.streaming === true) return this.tools.watchPeer()
    this.paced().awaitBody()
  }

  bodyRests(): void {
    this.pace?.restBody()
  }

  bodyAbandoned(): void {
    this.pace?.restBody()
    this.leaveIfOver()
  }

  // The reply.

  get canWrite(): boolean {
    return !this.tools.sender.output.blocked
  }

  /** Urgency of the reply (RFC 9218 section 4). */
  get urgency(): number {
    if (this.urgent === -1) this.urgent = urgencyOf(this.running?.headers.get('priority') ?? '')
    return this.urgent
  }

  /** The client has changed the priority (section 7.1). */
  prioritize(value: string): void {
    this.urgent = urgencyOf(value)
  }

  inform(status: number, headers: Headers): void {
    if (this.status === 0 && this.running !== null)
      this.tools.sender.putFields(this.id, encodeReply(status, wireOf(headers)), false)
  }

  private reply(reply: Reply): void {
    const { running, tools } = this
    if (running === null) return discardReply(reply)
    running.waiter = null
    const { status, body } = reply
    if (running.upgrade !== null && status < 300) return this.change(reply)
    if (isStream(body)) running.repliedAt = tools.deadlines.clock.now()
    this.streaming = isLasting(reply)
    this.status = status
    this.expectsContinue = false
    this.pace?.replyBegins(this.body?.length ?? 0)
    const empty = hasNoContent(running.method, status)
    const section =
      running.grpc === null
        ? replySection(reply, empty, tools.deadlines.dateField)
        : callSection(reply, tools.deadlines.dateField)
    if (empty) cancelBody(body)
    const content = empty ? null : body
    if (!isStream(content) && tools.sender.sendWhole(this, section, content)) {
      this.bytes = content === null ? 0 : content.length
      return this.contentWritten()
    }
    const expected = content === null ? 0 : content.length
    this.writer = new ContentWriter(this, section, expected, new ReadAhead(this.client))
    if (isStream(content)) this.writer.sendStream(content)
    else this.writer.sendBytes(content === null ? NOTHING : content.toBuffer())
  }

  /** Switches to the protocol that the client asked for: a status of 200 starts it (RFC 8441 section 5). */
  private change(reply: Reply): void {
    const { running, body, tools } = this
    const { upgrade } = reply
    if (running === null || body === null || upgrade === null) {
      discardReply(reply)
      const error = new GatewayError('bad-gateway', 'The service does not support the requested protocol.')
      if (running !== null) this.reply(tools.handler.refuse(error, tools.peer, running))
      return
    }
    running.repliedAt = tools.deadlines.clock.now()
    this.streaming = true
    this.status = 200
    reply.headers.delete('Sec-WebSocket-Accept')
    const tunnel = new ServedTunnel(body, { cut: () => this.abortTunnel(), pending: () => this.writer?.pending ?? 0 })
    this.tunnel = tunnel
    this.writer = new ContentWriter(this, encodeReply(200, wireOf(reply.headers)), -1, new ReadAhead(this.client))
    this.writer.sendStream(tunnel.outgoing)
    tunnel.open(upgrade)
  }

  private abortTunnel(): void {
    this.tools.endEarly(this, ErrorCode.cancel)
    this.writer?.stop()
    this.done(true, this.tunnel?.error ?? null)
    this.body?.fail(new GatewayError('client-closed'))
    this.endPace()
  }

  writeHead(section: string, alone: boolean): void {
    this.tools.sender.putFields(this.id, section, alone)
  }

  writeContent(content: Buffer, last: boolean, released: (error?: Error | null) => void): number {
    const { tools } = this
    const written = tools.sender.sendContent(this, content, last, released)
    this.lending = tools.sender.lending
    if (written > 0) this.pace?.replyMoved(written)
    return written
  }

  writeEnd(trailers: Headers | null): void {
    const { tools, id } = this
    if (trailers === null) tools.sender.endStream(id)
    else tools.sender.putFields(id, encodeFields(wireOf(trailers)), true)
  }

  contentWaits(): void {
    if (this.tools.sender.output.peerLeft && this.canWrite) return this.leaveBehind()
    this.tools.sender.waits(this)
    // Only the client can widen the stream's own window; waiting for the connection is the connection's to watch.
    if (this.window <= 0) this.paced().awaitReply()
    else this.pace?.restReply()
  }

  /** The windows are used up, and stay as they are: the rest of the reply can never be sent. */
  private leaveBehind(): void {
    this.tools.endEarly(this, ErrorCode.cancel)
    this.abort(new GatewayError('client-closed'))
  }

  contentCaughtUp(): void {
    this.pace?.restReply()
  }

  contentWritten(): void {
    if (this.writer !== null) this.bytes = this.writer.bytes
    this.replied = true
    this.pace?.restReply()
    this.done(true, this.tunnel?.error ?? null)
    this.leaveIfOver()
  }

  contentFailed(error: Error): void {
    const { running } = this
    // An error that is the client's own fault is recorded with the exchange, for the log; any other is the service's.
    if (running !== null && error instanceof GatewayError && error.fault === 'client') running.error ??= error
    if (this.body !== null) this.body.fail(new GatewayError('client-closed'))
    this.endPace()
    this.done(false, error)
    this.tools.endEarly(this, ErrorCode.internalError)
  }

  /** The client can take more. */
  advance(): void {
    this.writer?.advance()
  }

  /** Whether data is waiting to be written. */
  get hasMore(): boolean {
    return this.writer !== null && this.writer.waits && !this.replied
  }

  private done(whole: boolean, cause: Error | null): void {
    const { running } = this
    if (running === null) return
    this.running = null
    if (this.writer !== null) this.bytes = this.tunnel?.bytes ?? this.writer.bytes
    this.tools.handler.done(running, this.status, this.bytes, whole, cause)
  }

  /**
   * Once the reply is sent, the stream ends when the request is complete, or when the rest of it has no consumer (RFC
   * 9113 section 8.1).
   */
  private leaveIfOver(): void {
    if (!this.replied) return
    this.body?.exchangeOver()
    if (this.clientEnded) {
      this.tunnel?.close()
      this.endPace()
      return this.tools.left(this)
    }
    if (this.body !== null && this.body.flowing) return
    this.tunnel?.close()
    this.endPace()
    this.tools.endEarly(this, ErrorCode.noError)
  }

  /** Address of the client to whom held data is charged. */
  private get client(): string {
    return this.running?.client.address ?? this.tools.peer
  }

  private paced(): StreamPace {
    this.pace ??= new StreamPace(this.tools, (reason) => this.tooSlow(reason))
    return this.pace
  }

  private tooSlow(reason: 'body-rate' | 'body-timeout' | 'reply-rate' | 'reply-timeout'): void {
    const { running, tools } = this
    if (reason === 'body-rate' || reason === 'reply-rate' || reason === 'reply-timeout') tools.handler.slow(reason)
    const ofBody = reason === 'body-rate' || reason === 'body-timeout'
    const late = ofBody ? 'The request body did not arrive in time.' : 'The reply was not read in time.'
    const error = new GatewayError('request-timeout', late)
    if (ofBody && running !== null && this.status === 0) return this.giveUp(error)
    tools.endEarly(this, ErrorCode.cancel)
    this.abort(error)
  }

  private endPace(): void {
    this.pace?.close()
    this.pace = null
  }

  private never(): never {
    throw new Error(`stream ${this.id} has ended`)
  }
}

const NOTHING = Buffer.alloc(0)
