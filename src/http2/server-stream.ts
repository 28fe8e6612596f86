import { type Bytes, cancelBody, isStream } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import { type Headers, wireOf } from '../http/headers.ts'
import { hasNoContent } from '../http/content.ts'
import { tooLarge } from '../http/limited-body.ts'
import { ReadAhead } from '../http/read-ahead.ts'
import { discardReply, isLasting, type Reply } from '../http/reply.ts'
import type { Informed, ServerExchange } from '../http/server-exchange.ts'
import type { Running } from '../http/server-handler.ts'
import { ErrorCode } from './errors.ts'
import { encodeFields, encodeReply } from './hpack/encoder.ts'
import { urgencyOf } from './priority.ts'
import { type ContentOwner, ContentWriter } from './content-writer.ts'
import { replySection } from './reply-head.ts'
import { type BodyOwner, StreamBody } from './stream-body.ts'
import type { SendingStream } from './sender.ts'
import { StreamTunnel } from './stream-tunnel.ts'
import type { Tunnel } from '../http/upgrade.ts'
import { GOING_AWAY } from '../http/websocket-close.ts'
import { StreamPace } from './stream-pace.ts'
import { StreamRoom } from './stream-room.ts'
import type { StreamTools } from './stream-tools.ts'

/** One request and its reply on a connection (RFC 9113 section 5). */
export class ServerStream implements BodyOwner, ContentOwner, SendingStream, Informed, Running {
  readonly id: number
  /** Octets that may be sent to the client: below 0 where it has made its windows smaller. */
  window: number
  lending = false
  /** The client sends no more. */
  clientEnded = false

  private readonly tools: StreamTools
  private running: ServerExchange | null = null
  private body: StreamBody | null = null
  private writer: ContentWriter | null = null
  /** The client's end of a tunnel, and the tunnel, once they are there. */
  private tunnelEnd: StreamTunnel | null = null
  private tunnel: Tunnel | null = null
  private pace: StreamPace | null = null
  /** How soon its reply matters; -1 until somebody asks. */
  private urgent = -1
  private expectsContinue = false
  /** Status of the reply that is being written, 0 before. */
  private status = 0
  private streaming = false
  /** The reply has gone out whole, or never will. */
  private replied = false
  private bytes = 0
  /** It is no stream of its connection any more. */
  private gone = false
  /** For what the client sends; null until it does. */
  private room: StreamRoom | null = null

  constructor(id: number, window: number, tools: StreamTools) {
    this.id = id
    this.window = window
    this.tools = tools
  }

  // As the gateway sees it

  /** Null once it is over. */
  get current(): ServerExchange | null {
    return this.running
  }

  get exchange(): ServerExchange {
    // Only those are told of that have one.
    return this.running ?? this.never()
  }

  get lasts(): boolean {
    return this.streaming && this.status !== 0
  }

  /** Whether the client has to send something, or to take something, before it goes on. */
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

  /** Ends a tunnel in a moment, its WebSocket client is told; false where it is none. */
  leaveTunnel(): boolean {
    this.tunnel?.leave(GOING_AWAY)
    return this.tunnelEnd !== null
  }

  // The request

  /**
   * Its head has come, and content is to follow unless it has `ended`: `length` octets of it, or -1 where that was not announced. `whole`
   * is all of it where it is here already.
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
      // What a client sends that asks for another protocol is not the body of its request.
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

  /** Content of the request, which is lent. */
  content(octets: Buffer): void {
    if (this.body === null) return this.bodyTaken(octets.length)
    this.pace?.moved(octets.length)
    this.body.push(octets)
  }

  /** So many octets of a DATA frame count against the window. Whether there was room for them. */
  receives(octets: number): boolean {
    this.room ??= new StreamRoom(this.id, this.tools.sender.output, this.client)
    return this.room.receives(octets)
  }

  /** Octets of padding: nobody else takes them. */
  padding(octets: number): void {
    this.bodyTaken(octets)
  }

  /** Whether content of that length is what the head has announced. */
  get contentFits(): boolean {
    return this.body === null || this.body.length < 0 || this.body.length === this.body.received
  }

  /** The client has sent all. */
  contentEnded(trailers: Headers | null): void {
    this.clientEnded = true
    this.body?.complete(trailers)
    this.leaveIfOver()
  }

  /** The client has reset it, the connection is gone, or what it sends cannot be used. */
  abort(error: GatewayError): void {
    const { running } = this
    this.clientEnded = true
    if (this.body !== null) this.body.fail(error)
    this.endPace()
    if (running === null) return
    if (this.tunnelEnd !== null) return this.done(true, this.tunnel?.error ?? null)
    if (this.status === 0) this.status = error.status
    this.writer?.stop()
    if (error.code !== 'client-closed') running.error ??= error
    running.abort()
    this.done(false, null)
  }

  /** What comes of the request cannot be used: answers, if nothing has been answered yet. */
  giveUp(error: GatewayError): void {
    const { running, body } = this
    if (running === null) return
    // Whoever reads it tells the client; a policy may have put something of its own around it.
    if (this.status === 0 && body !== null && !body.over) return body.fail(error)
    running.error ??= error
    this.tools.endEarly(this, this.status === 0 ? ErrorCode.cancel : ErrorCode.internalError)
    this.abort(error)
  }

  // Its body

  bodyWanted(): void {
    if (!this.expectsContinue || this.status !== 0) return
    this.expectsContinue = false
    this.tools.sender.putFields(this.id, encodeReply(100, ''), false)
  }

  bodyTaken(octets: number): void {
    this.tools.room.taken(octets)
    if (this.clientEnded || this.gone) return this.releaseRoom()
    this.room?.taken(octets, this.body?.flowing === true)
  }

  /** It is no stream of its connection any more. What its window has grown by is for others, once nothing that came is held. */
  leave(): void {
    this.gone = true
    this.releaseRoom()
  }

  private releaseRoom(): void {
    if (this.room !== null && (this.body === null || this.body.held === 0)) this.room.release()
  }

  bodyWaits(forPeer: boolean): void {
    if (!forPeer) return this.pace?.restBody()
    if (this.status !== 0 && (this.body?.length ?? 0) < 0) return
    if (this.running?.route.streaming === true) return this.tools.watchPeer()
    this.paced().awaitBody()
  }

  bodyAbandoned(): void {
    this.pace?.restBody()
    this.leaveIfOver()
  }

  // The reply

  get canWrite(): boolean {
    return !this.tools.sender.output.blocked
  }

  /** How soon its reply matters (RFC 9218 section 4). */
  get urgency(): number {
    if (this.urgent === -1) this.urgent = urgencyOf(this.running?.headers.get('priority') ?? '')
    return this.urgent
  }

  /** The client has changed its mind about that (section 7.1). */
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
    const section = replySection(reply, empty, tools.deadlines.dateField)
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

  /** The client has asked for another protocol: a status of 200 says that it is spoken from here on (RFC 8441 section 5). */
  private change(reply: Reply): void {
    const { running, body, tools } = this
    const { upgrade } = reply
    if (running === null || body === null || upgrade === null) {
      discardReply(reply)
      const error = new GatewayError('bad-gateway', 'The service does not speak the protocol that was asked for.')
      if (running !== null) this.reply(tools.handler.refuse(error, tools.peer, running))
      return
    }
    running.repliedAt = tools.deadlines.clock.now()
    this.streaming = true
    this.status = 200
    reply.headers.delete('Sec-WebSocket-Accept')
    const end = new StreamTunnel(body, () => this.abortTunnel())
    this.tunnelEnd = end
    this.writer = new ContentWriter(this, encodeReply(200, wireOf(reply.headers)), -1, new ReadAhead(this.client))
    this.writer.sendStream(end.outgoing)
    const tunnel = upgrade.open(end)
    this.tunnel = tunnel
    end.open({
      received: (octets) => tunnel.fromClient(octets),
      drained: () => tunnel.clientDrained(),
      ended: () => tunnel.clientEnded(),
      closed: () => tunnel.close(),
    })
  }

  private abortTunnel(): void {
    this.tools.endEarly(this, ErrorCode.cancel)
    this.done(true, this.tunnel?.error ?? null)
    this.body?.fail(new GatewayError('client-closed'))
    this.endPace()
  }

  writeHead(section: string, alone: boolean): void {
    this.tools.sender.putFields(this.id, section, alone)
  }

  writeContent(content: Buffer, last: boolean, released: () => void): number {
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
    this.tools.sender.waits(this)
    // What its own window holds back is for its client alone to go on with; all else is the connection's.
    if (this.window <= 0) this.paced().awaitReply()
    else this.pace?.restReply()
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
    // What ended it for the client's own doing is told by the log; the rest is the service's.
    if (running !== null && error instanceof GatewayError && error.fault === 'client') running.error ??= error
    if (this.body !== null) this.body.fail(new GatewayError('client-closed'))
    this.endPace()
    this.done(false, error)
    this.tools.endEarly(this, ErrorCode.internalError)
  }

  /** The client may take more. */
  advance(): void {
    this.writer?.advance()
  }

  /** Whether there is something to be written that waits. */
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

  /** The reply is out: the stream is over when the request is, or when nobody takes the rest of that (RFC 9113 section 8.1). */
  private leaveIfOver(): void {
    if (!this.replied) return
    this.body?.exchangeOver()
    if (this.clientEnded) {
      this.tunnelEnd?.close()
      this.endPace()
      return this.tools.left(this)
    }
    if (this.body !== null && this.body.flowing) return
    this.tunnelEnd?.close()
    this.endPace()
    this.tools.endEarly(this, ErrorCode.noError)
  }

  /** Address of the client on whose account what is held of it is. */
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
    throw new Error(`stream ${this.id} is over`)
  }
}

const NOTHING = Buffer.alloc(0)
