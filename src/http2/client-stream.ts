import { clientNetwork } from '../core/client-network.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import { type BodyStream, Budget, Bytes, isStream } from '../http/body.ts'
import { hasNoContent } from '../http/content.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { type Headers, wireOf } from '../http/headers.ts'
import type { Lane, ReplyListener } from '../http/lane.ts'
import { ClosedBeforeReply, ClosedWithinReply, Preempted, NotProcessed, TooManyStreams } from '../http/lane-errors.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import type { OutgoingRequest, ServiceTimeouts } from '../http/outgoing-request.ts'
import type { ClientBounds } from '../http/pool-options.ts'
import { isLasting, Reply } from '../http/reply.ts'
import type { OccupiedLane } from '../http/slowest-exchange.ts'
import { websocketAccept } from '../http/websocket-accept.ts'
import { type ContentOwner, ContentWriter } from './content-writer.ts'
import { ErrorCode, errorName } from './errors.ts'
import { encodeFields } from './hpack/encoder.ts'
import { requestSection } from './request-section.ts'
import type { ResponseHead } from './response-head.ts'
import type { Sender, SendingStream } from './sender.ts'
import { type BodyOwner, StreamBody } from './stream-body.ts'
import { StreamRoom } from './stream-room.ts'
import type { StreamTunnel } from './stream-tunnel.ts'
import { StreamUpgrade } from './stream-upgrade.ts'
import { noTunnels, wantsHttp1 } from './unsupported.ts'
import { wrongLength } from './wrong-length.ts'

/** What a stream to an instance needs from its connection. */
export interface ClientTools {
  readonly options: ClientBounds
  readonly deadlines: Deadlines
  readonly sender: Sender
  readonly scheme: 'http' | 'https'
  /** The service accepts extended CONNECT, for other protocols within a stream (RFC 8441 section 3). */
  readonly offersTunnels: boolean
  /** It has served exchanges before, and carries none now. */
  readonly resting: boolean
  /** Counts the reads from it. */
  readonly reads: number
  /** Starts the stream: assigns its number and its window. False where the connection accepts no more. */
  begin(stream: ClientStream): boolean
  /** Another exchange is long-lived. False where the limit of those is reached. */
  detach(): boolean
  /** Resets a stream. */
  resetStream(id: number, code: ErrorCode): void
  /** The stream carries no exchange any more, or never has. */
  left(stream: ClientStream): void
}

/** How long, in milliseconds, to wait for a 100 (Continue) from the service before the body is sent anyway. */
const CONTINUE_TIMEOUT = 1_000
/** Limit of interim responses to one request. */
const MAXIMUM_INTERIM = 100
/** The default urgency (RFC 9218 section 4.1). */
const USUAL_URGENCY = 3

/** Per thread: bytes of all replies that have not been consumed yet. */
const replies = new Budget(128 * 1024 ** 2)

/** One request and its reply on a connection to an instance (RFC 9113 section 5). */
export class ClientStream implements Lane, OccupiedLane, BodyOwner, ContentOwner, SendingStream, Timed {
  /** 0 until the request is sent. */
  id = 0
  window = 0
  lending = false
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  waitingForClient = Number.POSITIVE_INFINITY
  readonly urgency = USUAL_URGENCY
  /** The exchange is long-lived, and is counted as such. */
  lasting = false
  /** The service has ended the stream. */
  ended = false
  /** The listener has received the head of its reply. */
  answered = false

  private readonly tools: ClientTools
  private request: OutgoingRequest | null = null
  private listener: ReplyListener | null = null
  private knownNetwork: string | null = null
  private timeouts: ServiceTimeouts
  private writer: ContentWriter | null = null
  private headOut = false
  /** A body that is held back until the service sends 100 (Continue). */
  private held: BodyStream | null = null
  /** The request has not been sent completely. */
  private sending = false
  private body: StreamBody | null = null
  private room: StreamRoom | null = null
  private tunnel: StreamTunnel | null = null
  private over = false
  /** The rest of the reply is not wanted. */
  private unwanted = false
  private interim = 0
  /** Bytes of the request's body that had been written at the last check. */
  private written = 0
  /**
   * Whether the connection had served before and was unused, and the number of reads from it, when the exchange began.
   */
  private wasIdle = false
  private reads = 0

  constructor(tools: ClientTools) {
    this.tools = tools
    this.timeouts = tools.options
  }

  /** The network of its client, or null: looked up once, as each request that waits for a lane asks all of them. */
  get network(): string | null {
    if (this.listener === null || this.request === null) return null
    return (this.knownNetwork ??= clientNetwork(this.request.client))
  }

  /**
   * 1. Check whether the connection can carry it.
   * 2. Send the head, at once: streams begin in the order of their numbers.
   * 3. Send the body, or wait until it is asked for.
   */
  exchange(request: OutgoingRequest, listener: ReplyListener): void {
    const { tools } = this
    const { body, upgrade } = request
    this.request = request
    this.listener = listener
    this.timeouts = request.timeouts ?? tools.options
    // 1.
    if (upgrade !== null && !tools.offersTunnels) return this.end(noTunnels(), null)
    this.wasIdle = tools.resting
    this.reads = tools.reads
    if (!tools.begin(this)) return this.end(new NotProcessed('its connection was about to end', true), null)
    tools.deadlines.watch(this)
    this.deadline = tools.deadlines.in(this.timeouts.responseTimeout)
    // 2.
    const section = requestSection(request, tools.scheme)
    if (upgrade !== null) return this.writeHead(section, false)
    if (body === null || (!isStream(body) && body.length === 0)) return this.writeHead(section, true)
    if (!isStream(body) && tools.sender.sendWhole(this, section, body)) return
    // 3.
    this.sending = true
    if (!isStream(body) || !request.expectsContinue) return this.send(section, body)
    this.held = body
    this.writeHead(section, false)
    // The body counts as not yet available from the client, even if the service asks for it at once.
    this.waitingForClient = tools.deadlines.now
    this.deadline = tools.deadlines.in(CONTINUE_TIMEOUT)
  }

  cancel(): void {
    this.unwanted = true
    this.end(this.closedError(null), ErrorCode.cancel)
  }

  giveBack(): void {
    this.over = true
    this.tools.left(this)
  }

  /** Ends the exchange, which waits for its own client, in favor of others. */
  preempt(): void {
    this.end(new Preempted(), ErrorCode.cancel)
  }

  onDeadline(): void {
    // A service that does not support the expectation does not respond to it (RFC 9110 section 10.1.1).
    if (this.held !== null && !this.answered) return this.continued()
    const late = this.answered
      ? 'The service stopped in the middle of its reply.'
      : 'The service did not reply in time.'
    this.end(new GatewayError('gateway-timeout', late), ErrorCode.cancel)
  }

  // Sending.

  private send(section: string, body: Bytes | BodyStream): void {
    this.writer = new ContentWriter(this, section, body.length, null)
    if (isStream(body)) this.writer.sendStream(body)
    else this.writer.sendBytes(body.toBuffer())
  }

  private continued(): void {
    const { held } = this
    if (held === null) return
    this.held = null
    this.waitingForClient = this.tools.deadlines.now
    this.deadline = Number.POSITIVE_INFINITY
    this.send('', held)
  }

  /** Heads are sent even if output is blocked: their number is limited by the number of streams. */
  get canWrite(): boolean {
    return !this.headOut || !this.tools.sender.output.blocked
  }

  get hasMore(): boolean {
    return this.writer !== null && this.writer.waits
  }

  advance(): void {
    this.writer?.advance()
  }

  /** The end of a gRPC call is a frame of its own, even without content ("gRPC over HTTP2", Requests). */
  writeHead(section: string, alone: boolean): void {
    const { sender } = this.tools
    const isCall = this.request?.isCall === true
    this.headOut = true
    sender.putFields(this.id, section, alone && !isCall)
    if (alone && isCall) sender.endStream(this.id)
  }

  writeContent(content: Buffer, last: boolean, released: (error?: Error | null) => void): number {
    const { sender } = this.tools
    const written = sender.sendContent(this, content, last, released)
    this.lending = sender.lending
    return written
  }

  writeEnd(trailers: Headers | null): void {
    const { sender } = this.tools
    if (trailers === null) sender.endStream(this.id)
    else sender.putFields(this.id, encodeFields(wireOf(trailers)), true)
  }

  /**
   * The service's timeout only runs while it is the service's turn: it is not to blame for a client that sends its body
   * slowly.
   */
  contentWaits(): void {
    this.tools.sender.waits(this)
    if (!this.sending) return
    const bytes = this.writer === null ? 0 : this.writer.bytes
    const waited = this.waitingForClient === Number.POSITIVE_INFINITY && bytes === this.written
    this.written = bytes
    this.waitingForClient = Number.POSITIVE_INFINITY
    if (!waited && !this.answered) this.deadline = this.tools.deadlines.in(this.timeouts.responseTimeout)
  }

  contentCaughtUp(): void {
    if (!this.sending) return
    this.waitingForClient = this.tools.deadlines.now
    if (!this.answered) this.deadline = Number.POSITIVE_INFINITY
  }

  contentWritten(): void {
    this.sending = false
    if (this.tunnel !== null) {
      if (this.ended || this.unwanted) this.finish()
      return
    }
    this.waitingForClient = Number.POSITIVE_INFINITY
    if (!this.answered) this.deadline = this.tools.deadlines.in(this.timeouts.responseTimeout)
  }

  /** The request's body broke off: the service must not take it for complete. */
  contentFailed(error: Error): void {
    this.end(asGatewayError(error), ErrorCode.cancel)
  }

  // Receiving.

  /**
   * Takes a head, which may also end the stream. Returns the final reply, without a body yet; null for an interim
   * response. Throws if the head is invalid.
   */
  take(head: ResponseHead, endStream: boolean): Reply | null {
    const { request, tools } = this
    const { status } = head
    if (request === null) return null
    if (status >= 200) {
      const empty = hasNoContent(request.method, status)
      if (endStream && !empty && head.contentLength > 0) throw wrongLength()
      return new Reply(status, head.headers(empty, tools.deadlines.dateField), null)
    }
    if (endStream || status === 101) throw new MalformedMessage('An interim response ends the stream or changes it.')
    if (++this.interim > MAXIMUM_INTERIM) throw new MalformedMessage('There are endless interim responses.')
    if (status === 100) this.continued()
    else this.listener?.interimReply(status, head.headers(false, ''))
    return null
  }

  /** Whether content may follow the head of that reply. */
  mayFollow({ status }: Reply): boolean {
    return this.request !== null && !hasNoContent(this.request.method, status)
  }

  /** Whether the reply accepts the protocol that was asked for (RFC 8441 section 5). */
  opens({ status }: Reply): boolean {
    return this.request !== null && this.request.upgrade !== null && status < 300
  }

  /** The whole reply is available, with its body if it has one. */
  whole(reply: Reply): void {
    this.ended = true
    if (reply.body === null && this.mayFollow(reply)) reply.body = NOTHING
    if (this.stopSending()) this.tools.resetStream(this.id, ErrorCode.cancel)
    this.answer(reply)
    this.finish()
  }

  /** Content may follow the head: `length` bytes or, where that is -1, any number. */
  begin(reply: Reply, length: number): void {
    this.deadline = this.tools.deadlines.in(this.timeouts.idleTimeout)
    if (this.mayFollow(reply)) {
      this.body = this.bodyOf(length)
      reply.body = this.body
    }
    this.answer(reply)
  }

  private bodyOf(length: number): StreamBody {
    const client = this.request?.client ?? ''
    const limit = Number.MAX_SAFE_INTEGER
    return new StreamBody(this, { length, client, limit, overLimit: never, budget: replies })
  }

  /** Turns the stream into a tunnel for another protocol. */
  change(reply: Reply): void {
    const { request, tools, timeouts } = this
    if (request === null || request.upgrade === null) return
    const { protocol, key } = request.upgrade
    const body = this.bodyOf(-1)
    this.body = body
    this.deadline = Number.POSITIVE_INFINITY
    reply.status = 101
    reply.headers.set('Sec-WebSocket-Accept', websocketAccept(key))
    reply.upgrade = new StreamUpgrade(protocol, body, {
      deadlines: tools.deadlines,
      idleTimeout: timeouts.idleTimeout,
      opened: (end) => this.tunnelOpened(end),
      cut: () => this.cancel(),
      pending: () => this.writer?.pending ?? 0,
    })
    this.answer(reply)
  }

  private tunnelOpened(end: StreamTunnel): void {
    this.tunnel = end
    this.sending = true
    this.writer = new ContentWriter(this, '', -1, null)
    this.writer.sendStream(end.outgoing)
  }

  private answer(reply: Reply): void {
    this.lasting = !this.ended && isLasting(reply)
    if (this.lasting && !this.tools.detach()) {
      this.lasting = false
      return this.end(new TooManyStreams(), ErrorCode.cancel)
    }
    this.answered = true
    if (this.held !== null) this.waitingForClient = Number.POSITIVE_INFINITY
    this.listener?.replied(reply, this.lasting)
  }

  /** Charges bytes of a DATA frame to the window; returns whether there was room for them. */
  receives(bytes: number): boolean {
    this.room ??= new StreamRoom(this.id, this.tools.sender.output, this.request?.client ?? '')
    return this.room.receives(bytes)
  }

  /** Bytes of padding, which are consumed at once. */
  padding(bytes: number): void {
    this.bodyTaken(bytes)
  }

  /** Content of the reply; it is lent. Throws MalformedMessage where there is more than was announced. */
  content(bytes: Buffer): void {
    const { body } = this
    if (body === null || (body.length >= 0 && body.received + bytes.length > body.length)) throw wrongLength()
    body.push(bytes)
    if (body.over)
      this.end(new GatewayError('too-busy', 'The reply exceeds the flow-control window.'), ErrorCode.cancel)
  }

  /** The service has ended the stream. Throws MalformedMessage where there was less than was announced. */
  contentEnded(trailers: Headers | null): void {
    const { body } = this
    if (body !== null && body.length >= 0 && body.received !== body.length) throw wrongLength()
    this.ended = true
    body?.complete(trailers)
    if (this.tunnel !== null && this.sending) return
    this.finish()
  }

  bodyWanted(): void {}

  bodyTaken(bytes: number): void {
    if (this.ended || this.over) return this.releaseRoom()
    this.room?.consumed(bytes, this.body?.flowing === true)
  }

  /** The extra window becomes available to others once no received data is held. */
  private releaseRoom(): void {
    if (this.room !== null && (this.body === null || this.body.held === 0)) this.room.release()
  }

  bodyAwaitsPeer(): void {
    if (this.over || this.ended || this.tunnel !== null) return
    if (!this.sending) this.waitingForClient = Number.POSITIVE_INFINITY
    this.deadline = this.tools.deadlines.in(this.timeouts.idleTimeout)
  }

  bodyRests(): void {
    if (this.over || this.ended || this.tunnel !== null) return
    if (this.waitingForClient === Number.POSITIVE_INFINITY) this.waitingForClient = this.tools.deadlines.now
    this.deadline = Number.POSITIVE_INFINITY
  }

  /** In a tunnel, data already written for the service is still sent. */
  bodyAbandoned(): void {
    this.unwanted = true
    if (this.tunnel === null || !this.sending) this.end(this.closedError(null), ErrorCode.cancel)
  }

  // Endings.

  /** The service has reset the stream (RFC 9113 section 6.4). */
  wasReset(code: number): void {
    const { answered } = this
    if (code === ErrorCode.refusedStream && !answered) return this.end(new NotProcessed('it was refused'), null)
    if (code === ErrorCode.http11Required) return this.end(wantsHttp1(), null)
    const what = `reset the stream (${errorName(code)})`
    this.end(answered ? new ClosedWithinReply(null, what) : new ClosedBeforeReply(false, true, null, what), null)
  }

  /** The service has declared that it does not process the stream (section 6.8). */
  wasLeftOut(): void {
    this.end(new NotProcessed('its connection ends'), null)
  }

  /** The connection is closed. */
  wasCut(cause: unknown): void {
    this.end(this.closedError(cause), null)
  }

  private closedError(cause: unknown): GatewayError {
    if (this.answered) return new ClosedWithinReply(cause)
    return new ClosedBeforeReply(this.wasIdle, this.interim > 0 || this.reads !== this.tools.reads, cause)
  }

  /**
   * Ends the exchange; the listener, and the consumer of the reply's body, get the error. The stream is reset with the
   * code, if there is one.
   */
  end(error: GatewayError, code: ErrorCode | null): void {
    if (this.over) return
    const { listener, answered, body } = this
    const wanted = !this.unwanted && !this.lasting
    this.over = true
    this.listener = null
    this.tools.deadlines.forget(this)
    if (code !== null && this.id !== 0) this.tools.resetStream(this.id, code)
    this.stopSending()
    body?.fail(error)
    this.tunnel?.close()
    this.releaseRoom()
    this.tools.left(this)
    if (answered && wanted && body !== null) listener?.brokeOff(error)
    listener?.finished()
    if (!answered) listener?.failed(error)
  }

  /** The reply is complete. A request body that is still being sent is no longer needed. */
  private finish(): void {
    if (this.over) return
    const { listener } = this
    this.over = true
    this.listener = null
    this.tools.deadlines.forget(this)
    if (this.stopSending() || !this.ended) this.tools.resetStream(this.id, ErrorCode.cancel)
    if (this.body?.over === true) this.tunnel?.close()
    this.releaseRoom()
    listener?.finished()
    this.tools.left(this)
  }

  /** Stops sending the request; returns whether part of it was still to be sent. */
  private stopSending(): boolean {
    const { held, sending } = this
    this.held = null
    this.sending = false
    held?.cancel()
    this.writer?.stop()
    return sending
  }
}

const NOTHING = Bytes.fromLatin1('')

function never(): Error {
  return new Error('a body with more bytes than can be counted')
}
