import type { Socket } from 'node:net'
import { type BodyStream, isStream } from '../http/body.ts'
import { clientNetwork } from '../core/client-network.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import { isLasting, type Reply } from '../http/reply.ts'
import type { Lane, ReplyListener } from '../http/lane.ts'
import { ClosedBeforeReply, ClosedWithinReply, Preempted, TooManyStreams } from '../http/lane-errors.ts'
import type { OutgoingRequest, ServiceTimeouts } from '../http/outgoing-request.ts'
import type { ClientOptions } from '../http/pool-options.ts'
import type { Headers } from '../http/headers.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { MessageWriter, type WriterOwner } from './message-writer.ts'
import { watchPeer } from '../http/watch-peer.ts'
import { outgoingHead } from './outgoing-head.ts'
import { keepReading } from './keep-reading.ts'
import { type ClientTools, type ResponseOwner, ResponseReader } from './response-reader.ts'

/** How long, in milliseconds, to wait for a 100 (Continue) from the service before the body is sent anyway. */
const CONTINUE_TIMEOUT = 1_000

/** The pool that a connection belongs to. */
export interface ClientOwner extends ClientTools {
  /** The connection is available for another request. */
  release(connection: ClientConnection): void
  /**
   * The connection carries a long-lived exchange, and is counted separately from now on. False where the limit of those
   * is reached.
   */
  detach(connection: ClientConnection): boolean
  /** The connection is closed. */
  closed(connection: ClientConnection): void
}

/** A connection to an instance: carries one exchange at a time, and is released to its owner after each. */
export class ClientConnection implements ResponseOwner, WriterOwner, Lane, Timed {
  readonly socket: Socket
  deadline: number
  watchIndex = -1
  /** Index among the connections that its pool counts; used by the pool alone. */
  countedIndex = -1
  waitingForClient = Number.POSITIVE_INFINITY
  /** The client named to the service in the preamble of the connection; null where it may be used for any client. */
  introduced: string | null = null

  private readonly owner: ClientOwner
  private options: ClientOptions
  private readonly deadlines: Deadlines
  private readonly reader: ResponseReader
  private readonly writer: MessageWriter
  private served = 0
  private request: OutgoingRequest | null = null
  private listener: ReplyListener | null = null
  private knownNetwork: string | null = null
  /** Time limits of the current exchange, or else of the connection. */
  private timeouts: ServiceTimeouts
  /** When it was established, and when it is no longer reused, on the clock of the deadlines. */
  private readonly made: number
  private expires: number
  /** A body that is held back until the service sends 100 (Continue). */
  private held: BodyStream | null = null
  /** The listener has received its reply. */
  private answered = false
  /** The reply is long-lived. */
  private lasting = false
  /** Sending of the request was stopped before its end, and will not be resumed. */
  private stopped = false
  /** The request has not been sent completely. */
  private sending = false
  /** The owner has been told that it is closed. */
  private left = false
  /** Reading continues even after a write has failed (see `readOn`). */
  private readsOn = false
  private cause: Error | null = null

  /** Takes over a connected socket. */
  constructor(socket: Socket, owner: ClientOwner, deadlines: Deadlines) {
    const { options } = owner
    this.socket = socket
    this.options = options
    this.timeouts = options
    this.deadlines = deadlines
    // The request that it was made for may have been cancelled in the meantime.
    this.deadline = deadlines.in(options.poolTimeout)
    this.reader = new ResponseReader(socket, owner, deadlines, this)
    this.owner = owner
    this.writer = new MessageWriter(this)
    this.made = deadlines.now
    this.expires = this.made + options.lifetime()
    deadlines.watch(this)
    socket.on('drain', () => this.drained())
    socket.on('end', () => this.ended())
    socket.on('error', (error) => this.broken(error))
    socket.on('close', () => this.onClosed())
  }

  /** Whether it has carried a request before. */
  get reused(): boolean {
    return this.served > 0
  }

  /** The network of the client of the current exchange, or null: looked up once, as each request that waits for a lane asks all of them. */
  get network(): string | null {
    if (this.listener === null || this.request === null) return null
    return (this.knownNetwork ??= clientNetwork(this.request.client))
  }

  /** The buffer for the next read. */
  get readBuffer(): Buffer {
    return this.reader.readBuffer
  }

  /** Takes bytes from the socket; they are only lent. */
  read(bytes: Buffer, end: number): void {
    this.reader.read(bytes, end)
  }

  /** Adopts the current options of its owner; only between exchanges. */
  renew(): void {
    const { options } = this.owner
    if (options === this.options) return
    this.options = options
    this.expires = this.made + options.lifetime()
    this.deadline = Math.min(this.deadline, this.expires, this.deadlines.in(options.poolTimeout))
    this.reader.renew(this.owner)
  }

  /** Ends the exchange, which waits for its own client, in favor of others. */
  preempt(): void {
    this.end(new Preempted())
  }

  exchange(request: OutgoingRequest, listener: ReplyListener): void {
    this.request = request
    this.listener = listener
    this.knownNetwork = null
    this.timeouts = request.timeouts ?? this.options
    this.answered = this.lasting = false
    this.sending = true
    this.stopped = false
    this.waitingForClient = Number.POSITIVE_INFINITY
    if (this.timeouts.idleTimeout === Number.POSITIVE_INFINITY) watchPeer(this.socket)
    this.reader.expect(request, this.timeouts)
    const { body } = request
    // A head without a body has been sent before a reply to it can close the connection.
    if (!this.readsOn && (body !== null || request.upgrade !== null)) this.readOn()
    const head = outgoingHead(request)
    if (request.expectsContinue && isStream(body)) {
      this.held = body
      // The body counts as not yet available from the client, even if the service asks for it at once.
      this.waitingForClient = this.deadlines.now
      this.deadline = this.deadlines.in(CONTINUE_TIMEOUT)
      return this.writer.sendHead(head)
    }
    this.deadline = Number.POSITIVE_INFINITY
    this.writer.send(head, body, body !== null && body.length < 0)
  }

  /** The end of the reply can only be found by reading it, so the connection cannot be reused. */
  cancel(): void {
    this.destroy()
  }

  giveBack(): void {
    this.owner.release(this)
  }

  /** Closes the connection, and ends whatever it is doing. */
  destroy(): void {
    this.leave()
    this.socket.destroy()
  }

  // Sending.

  private readOn(): void {
    this.readsOn = true
    keepReading(this.socket)
  }

  continued(): void {
    const { held } = this
    if (held === null) return
    this.held = null
    this.waitingForClient = this.deadlines.now
    this.deadline = Number.POSITIVE_INFINITY
    this.writer.sendBody(held, held.length < 0)
  }

  messageWritten(): void {
    this.waitingForClient = Number.POSITIVE_INFINITY
    this.sending = false
    const { receiving } = this.reader
    if (receiving && !this.answered) this.deadline = this.deadlines.in(this.timeouts.responseTimeout)
    if (!receiving) this.finish()
  }

  /** The request's body broke off: the service must not take it for complete. */
  messageFailed(error: Error): void {
    this.end(asGatewayError(error))
  }

  /**
   * The service's timeout only runs while it is the service's turn: it is not to blame for a client that sends its body
   * slowly.
   */
  writeBlocked(blocked: boolean): void {
    if (this.sending) this.waitingForClient = blocked ? Number.POSITIVE_INFINITY : this.deadlines.now
    if (!this.reader.receiving || this.answered || this.held !== null) return
    const waits = blocked || !this.sending
    this.deadline = waits ? this.deadlines.in(this.timeouts.responseTimeout) : Number.POSITIVE_INFINITY
  }

  full(): void {
    // Nothing to do: a service that does not read what it was sent fails to reply in time.
  }

  private drained(): void {
    const { tunnel } = this.reader
    if (tunnel === null) this.writer.drained()
    else tunnel.serviceDrained()
  }

  // Receiving.

  informed(status: number, headers: Headers): void {
    this.listener?.interimReply(status, headers)
  }

  received(reply: Reply | null): void {
    this.reader.finish()
    // A request body that is still being sent is no longer needed.
    if (this.sending) {
      this.sending = false
      this.stopped = true
      this.stopSending()
    }
    if (reply !== null) this.answer(reply)
    this.finish()
  }

  answer(reply: Reply): void {
    this.lasting = this.reader.receiving && isLasting(reply)
    if (this.lasting && !this.owner.detach(this)) return this.end(new TooManyStreams())
    this.answered = true
    if (this.held !== null) this.waitingForClient = Number.POSITIVE_INFINITY
    this.listener?.replied(reply, this.lasting)
  }

  // Closing.

  private finish(): void {
    const { listener, reader } = this
    this.listener = null
    listener?.finished()
    this.served++
    this.renew()
    this.deadline = Math.min(this.expires, this.deadlines.in(Math.min(this.options.poolTimeout, reader.promised)))
    if (this.stopped || reader.last || this.left || this.deadlines.now >= this.expires) this.destroy()
    else this.owner.release(this)
  }

  onDeadline(): void {
    const { receiving, inBody } = this.reader
    if (!receiving) return this.destroy()
    // A service that does not support the expectation does not respond to it (RFC 9110 section 10.1.1).
    if (this.held !== null && !this.answered) return this.continued()
    const detail = inBody ? 'The service stopped in the middle of its reply.' : 'The service did not reply in time.'
    this.end(new GatewayError('gateway-timeout', detail))
  }

  /** The service has ended the connection; for a body without a length that is the end of the body. */
  private ended(): void {
    const { reader } = this
    if (reader.tunnel !== null) return reader.tunnel.serviceEnded()
    if (this.cutOff || !reader.endOfInput()) return this.end(this.closedError(null))
    this.received(null)
  }

  /** Whether the end may have been forged by a third party, so that it does not end a body. */
  private get cutOff(): boolean {
    return this.options.encryption?.cutOff(this.socket) === true
  }

  private closedError(cause: unknown): GatewayError {
    if (!this.answered) return new ClosedBeforeReply(this.reused, this.reader.received, cause)
    return new ClosedWithinReply(cause)
  }

  /** Closes the connection; the listener, and the consumer of the reply's body, get the error. */
  end(error: GatewayError): void {
    const { listener, answered } = this
    // A connection that was closed on purpose does not report a broken reply.
    const wanted = !this.left && !this.lasting
    this.listener = null
    this.sending = false
    const body = this.reader.stop()
    this.destroy()
    this.stopSending()
    body?.fail(error)
    if (answered && wanted && body !== null) listener?.brokeOff(error)
    listener?.finished()
    if (!answered) listener?.failed(error)
  }

  private stopSending(): void {
    const { held } = this
    this.held = null
    held?.cancel()
    this.writer.stop()
  }

  private leave(): void {
    if (this.left) return
    this.left = true
    this.deadlines.forget(this)
    this.owner.closed(this)
  }

  private broken(error: Error): void {
    const { encryption } = this.options
    this.cause = encryption === null ? error : encryption.explain(error)
    // A TLS error after the handshake does not close the connection by itself.
    if (encryption !== null) this.socket.destroy()
  }

  private onClosed(): void {
    this.reader.tunnel?.close()
    this.end(this.closedError(this.cause))
  }
}
