import type { Socket } from 'node:net'
import { Bytes } from '../http/body.ts'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Client } from '../http/exchange.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { LingeringClose } from '../http/lingering-close.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { sharedBuffer } from '../http/read-buffers.ts'
import { reset } from '../http/reset.ts'
import { ServerExchange } from '../http/server-exchange.ts'
import type { Running, ServedConnection, ServerHandler, ServerOptions } from '../http/server-handler.ts'
import { ConnectionError, ErrorCode } from './errors.ts'
import { ClosedStreams } from './closed-streams.ts'
import { Control } from './control.ts'
import { GracefulShutdown } from './graceful-shutdown.ts'
import { FrameReader, type StreamFrames } from './frame-reader.ts'
import { protocolError, rstStreamFrame } from './frames.ts'
import { FieldDecoder } from './hpack/decoder.ts'
import { namingOf } from './hpack/field-table.ts'
import { PendingMessage, PendingMessages } from './pending-message.ts'
import { Output } from './output.ts'
import { Cost, costOf, WorkBudget } from './work-budget.ts'
import { ReceiveWindow } from './receive-window.ts'
import { replySection } from './reply-head.ts'
import { ReplyWatch } from './reply-watch.ts'
import type { RequestHead } from './request-head.ts'
import { Sender } from './sender.ts'
import { ServerStream } from './server-stream.ts'
import { mostFields, ownSettings, STREAMS } from './settings.ts'
import { StreamTable } from './stream-table.ts'
import { watchPeer } from '../http/watch-peer.ts'
import type { StreamTools } from './stream-tools.ts'
import { allWaitForClient, blame, leaveTunnels, runningOf } from './streams.ts'
import { Trailers } from './trailers.ts'
import { wrongLength } from './wrong-length.ts'

/** Shared by the connections of one listener. */
export interface ServerTools {
  /** The values may change, and apply from then on. */
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  /** Its results are used at once after each head, so one instance serves all connections. */
  readonly head: RequestHead
}

/** A client's connection over HTTP/2: many requests at a time (RFC 9113). */
export class ServerConnection implements ServedConnection, StreamFrames, StreamTools, Timed {
  readonly socket: Socket
  readonly peer: string
  client: Client | null = null
  deadline: number
  watchIndex = -1
  servedIndex = -1
  countedFor = ''
  order = 0
  readonly handler: ServerHandler
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  readonly sender: Sender
  readonly room: ReceiveWindow
  readonly readBuffer = sharedBuffer

  private readonly output: Output
  private readonly reader: FrameReader
  private readonly decoder: FieldDecoder
  private readonly head: RequestHead
  private readonly workBudget: WorkBudget
  private readonly gracefulShutdown: GracefulShutdown
  private readonly control: Control
  private readonly streams = new StreamTable<ServerStream>()
  private readonly closed: ClosedStreams
  private readonly pendingMessages = new PendingMessages<ServerStream, ServerExchange>()
  private closing: LingeringClose | null = null
  /** Nothing more is read; the pending output is the last. */
  private dying = false
  /** Only WebSockets are left, which end shortly. */
  private cut = false
  /** When an incomplete field section has to be complete, and when the next request has to begin. */
  private fieldsDue = Number.POSITIVE_INFINITY
  private requestDue: number

  /** Takes over a connected socket, whose bytes the caller passes to `read`. */
  constructor(socket: Socket, peer: string, handler: ServerHandler, { options, deadlines, head }: ServerTools) {
    this.socket = socket
    this.peer = peer
    this.handler = handler
    this.options = options
    this.deadlines = deadlines
    this.output = new Output(socket)
    this.workBudget = new WorkBudget(deadlines)
    this.closed = new ClosedStreams(this.workBudget)
    this.room = new ReceiveWindow(this.output)
    this.gracefulShutdown = new GracefulShutdown(this.output, deadlines, () => this.leave())
    this.decoder = new FieldDecoder(namingOf(options))
    this.head = head
    const { output, workBudget } = this
    const tooSlow = (reason: 'reply-rate' | 'reply-timeout'): void => this.tooSlow(reason)
    const watch = (sent: Sender): ReplyWatch => new ReplyWatch({ socket, options, deadlines, sent, tooSlow })
    this.sender = new Sender({ output, workBudget, watch })
    this.control = new Control({
      peer: 'client',
      output,
      workBudget,
      sender: this.sender,
      streams: () => this.opened(),
      settled: () => {},
      answered: (content) => this.gracefulShutdown.pingAnswered(content),
    })
    this.reader = new FrameReader(this, {
      control: this.control,
      peer: 'client',
      mostFields: () => mostFields(options),
      failed: (error) => this.broken(error),
    })
    this.deadline = deadlines.in(options.headTimeout)
    this.requestDue = deadlines.in(options.idleTimeout)
    deadlines.watch(this)
    output.put(ownSettings(options) + ReceiveWindow.opening)
    socket.on('drain', () => this.drained())
    socket.on('end', () => this.ended())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.onClosed())
  }

  // For listeners.

  get inFlight(): number {
    return runningOf(this.streams).length
  }

  get running(): readonly Running[] {
    return runningOf(this.streams)
  }

  get idle(): boolean {
    return this.streams.size === 0 && !this.socket.destroyed
  }

  get waitsForClient(): boolean {
    return !this.socket.destroyed && allWaitForClient(this.streams, this.sender)
  }

  /** Takes bytes from the socket; they are only lent. */
  read(bytes: Buffer, end: number): void {
    if (this.closing !== null) return this.closing.discard()
    this.reader.read(bytes, end)
    this.open()
    if (!this.reader.inFields) this.fieldsDue = Number.POSITIVE_INFINITY
    else if (this.fieldsDue === Number.POSITIVE_INFINITY) this.fieldsDue = this.deadlines.in(this.options.headTimeout)
    this.schedule()
    if (this.output.full) this.socket.pause()
  }

  reconfigure(): void {
    this.decoder.rename(namingOf(this.options))
  }

  retire(): void {
    this.gracefulShutdown.begin()
  }

  drain(): void {
    this.leave()
  }

  preempt(): void {
    this.handler.slow('connections')
    blame(this.streams, new GatewayError('request-timeout', 'The connection was needed for other clients.'))
    if (this.streams.size === 0) this.socket.destroy()
    else reset(this.socket)
  }

  cutOff(): void {
    const { size } = this.streams
    const others = leaveTunnels(this.streams)
    this.leave()
    if (others.length < size) {
      this.cut = true
      // A reset of the connection would leave the WebSockets without their Close frames.
      for (const stream of others) this.breakOff(stream, ErrorCode.cancel, new GatewayError('client-closed'))
      return
    }
    if (this.streams.size > 0 || this.socket.writableLength > 0) reset(this.socket)
    else this.socket.destroy()
  }

  // Requests.

  fieldSection(id: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const stream = this.streams.get(id)
    if (stream !== undefined) {
      this.open()
      return this.trailers(stream, bytes, start, end, endStream)
    }
    if (id % 2 === 0) throw protocolError('Clients may only open streams with odd numbers.')
    this.head.begin()
    this.decoder.decode(bytes, start, end, this.head)
    if (id <= this.closed.last) return this.closed.receive(id, 0)
    if (!this.closed.begin(id)) return this.workBudget.spend(1, 'streams that are not served')
    if (this.streams.size < STREAMS) return this.begin(id, end - start, endStream)
    this.workBudget.spend(Cost.stream, 'streams at a time')
    this.resetStream(id, ErrorCode.refusedStream)
  }

  private begin(id: number, bytes: number, endStream: boolean): void {
    const { head, deadlines } = this
    const stream = new ServerStream(id, this.control.peer.initialWindow, this)
    let exchange: ServerExchange
    try {
      head.finish()
      exchange = new ServerExchange(head, this.handler.identify(this, head), deadlines.clock.now(), stream)
      if (endStream && head.contentLength > 0) throw wrongLength()
    } catch (error) {
      this.workBudget.spend(costOf(bytes), 'requests that cannot be read')
      return this.refuse(stream, error, endStream)
    }
    this.streams.add(stream)
    if (endStream) stream.begin(exchange, 0, true, null)
    else this.pendingMessages.add(new PendingMessage(stream, exchange, head.contentLength))
  }

  /** The request is invalid: sends the client an error reply, as over HTTP/1.1. */
  private refuse(stream: ServerStream, error: unknown, endStream: boolean): void {
    this.workBudget.spend(Cost.stream, 'requests that cannot be read')
    const reply = this.handler.refuse(error, this.peer, null)
    const section = replySection(reply, false, this.deadlines.dateField)
    const sent = this.sender.sendWhole(stream, section, reply.body instanceof Bytes ? reply.body : null)
    const malformed = error instanceof MalformedMessage
    if (sent && !malformed && endStream) return
    this.resetStream(stream.id, malformed ? ErrorCode.protocolError : ErrorCode.noError)
  }

  private trailers(stream: ServerStream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const trailers = new Trailers(this.options)
    this.decoder.decode(bytes, start, end, trailers)
    if (stream.clientEnded) return this.failStream(stream, ErrorCode.streamClosed, AFTER_END)
    if (endStream && !trailers.malformed && stream.contentFits) return stream.contentEnded(trailers.headers)
    this.failStream(stream, ErrorCode.protocolError, 'The trailer section is not valid.')
  }

  data(id: number, content: Buffer, bytes: number): void {
    this.room.receives(bytes)
    const opening = this.pendingMessages.of(id)
    if (opening?.take(content, bytes) === true) return
    if (opening !== undefined) this.begun(opening)
    const stream = this.streams.get(id)
    if (stream === undefined || stream.clientEnded) return this.room.consumed(bytes)
    if (!stream.receives(bytes)) {
      this.room.consumed(bytes)
      return this.failStream(stream, ErrorCode.flowControlError, 'The content exceeds the flow-control window.')
    }
    if (content.length === 0) stream.padding(bytes)
    else this.content(stream, content)
  }

  private content(stream: ServerStream, content: Buffer): void {
    if (stream.expects(content.length)) return stream.content(content)
    this.room.consumed(content.length)
    this.failStream(stream, ErrorCode.protocolError, wrongLength().message)
  }

  dataEnd(id: number, length: number, endStream: boolean): void {
    if (length === 0 && !endStream) this.workBudget.spend(1, 'empty frames')
    const opening = this.pendingMessages.of(id)
    if (endStream && opening !== undefined) return this.openWhole(opening)
    if (opening !== undefined) this.begun(opening)
    const stream = this.streams.get(id)
    if (stream === undefined) return this.closed.receive(id, length)
    if (stream.clientEnded) return this.failStream(stream, ErrorCode.streamClosed, AFTER_END)
    if (length > 0) this.workBudget.earn(1)
    if (!endStream) return
    if (!stream.contentFits) return this.failStream(stream, ErrorCode.protocolError, wrongLength().message)
    stream.contentEnded(null)
  }

  /** All of the content arrived together with the head. */
  private openWhole(opening: PendingMessage<ServerStream, ServerExchange>): void {
    this.pendingMessages.delete(opening)
    const { stream, message: exchange, length, bytes } = opening
    const whole = opening.whole()
    this.room.consumed(bytes)
    if (length >= 0 && length !== whole.length) {
      this.streams.delete(stream.id)
      return this.refuse(stream, wrongLength(), true)
    }
    if (whole.length <= this.options.body)
      return stream.begin(exchange, whole.length, true, whole.length === 0 ? null : whole)
    stream.begin(exchange, whole.length, false, null)
    stream.contentEnded(null)
  }

  /** Ends the wait for complete content: the rest of each body is streamed. */
  private open(): void {
    for (const opening of this.pendingMessages.take()) this.begun(opening)
  }

  /** The same for one of them. */
  private begun(opening: PendingMessage<ServerStream, ServerExchange>): void {
    this.pendingMessages.delete(opening)
    const { stream, message: exchange, length, chunks, bytes, padding } = opening
    if (this.streams.get(stream.id) !== stream) return this.room.consumed(bytes)
    stream.begin(exchange, length, false, null)
    stream.receives(bytes)
    if (padding > 0) stream.padding(padding)
    for (const chunk of chunks)
      if (this.streams.get(stream.id) === stream) this.content(stream, chunk)
      else this.room.consumed(chunk.length)
  }

  /** All streams, after finishing those that are still being opened. */
  private opened(): Iterable<ServerStream> {
    this.open()
    return this.streams.values()
  }

  // Other frames.

  reset(id: number): void {
    this.open()
    const stream = this.streams.get(id)
    this.closed.resetByPeer(id, stream?.hasBegunReply === false)
    if (stream === undefined) return
    this.forget(stream)
    stream.abort(new GatewayError('client-closed'))
  }

  goaway(): void {
    // The client begins no more streams, but still takes the replies to its requests.
    this.workBudget.spend(Cost.settings, 'GOAWAY frames')
  }

  windowUpdate(id: number, bytes: number): void {
    if (!this.sender.isReport(bytes)) this.workBudget.spend(1, 'WINDOW_UPDATE frames')
    const stream = this.streams.get(id)
    if (id === 0) this.sender.widen(bytes)
    else if (stream === undefined) return this.closed.check(id)
    else if (bytes === 0)
      return this.failStream(stream, ErrorCode.protocolError, 'WINDOW_UPDATE has an increment of 0.')
    else this.widenStream(stream, bytes)
    this.sender.pump()
  }

  priorityUpdate(id: number, value: string): void {
    this.workBudget.spend(1 + costOf(value.length), 'PRIORITY_UPDATE frames')
    if (id === 0) throw protocolError('PRIORITY_UPDATE is for stream 0.')
    this.streams.get(id)?.prioritize(value)
  }

  private widenStream(stream: ServerStream, bytes: number): void {
    if (!this.sender.widenStream(stream, bytes))
      this.failStream(stream, ErrorCode.flowControlError, 'The window is too large.')
  }

  // Streams.

  watchPeer(): void {
    watchPeer(this.socket)
  }

  endEarly(stream: ServerStream, code: ErrorCode): void {
    if (this.streams.get(stream.id) !== stream) return
    this.resetStream(stream.id, code)
    this.forget(stream)
  }

  left(stream: ServerStream): void {
    this.workBudget.earn(Cost.stream)
    this.forget(stream)
  }

  private resetStream(id: number, code: ErrorCode): void {
    this.output.put(rstStreamFrame(id, code))
    this.closed.wasReset(id)
  }

  /** The client has violated the protocol within a stream: ends that stream only. */
  private failStream(stream: ServerStream, code: ErrorCode, message: string): void {
    this.open()
    this.workBudget.spend(Cost.stream, 'streams that are broken')
    this.breakOff(stream, code, new GatewayError('bad-request', message))
  }

  private breakOff(stream: ServerStream, code: ErrorCode, error: GatewayError): void {
    this.endEarly(stream, code)
    stream.abort(error)
  }

  private forget(stream: ServerStream): void {
    this.streams.delete(stream.id)
    this.sender.forget(stream)
    stream.leave()
    if (this.streams.size > 0) return
    if (this.gracefulShutdown.announced) return this.linger()
    this.requestDue = this.deadlines.in(this.options.idleTimeout)
    this.schedule()
  }

  // Timeouts and closing.

  private drained(): void {
    this.sender.pump()
    if (this.socket.isPaused() && !this.output.full && this.closing === null) this.socket.resume()
  }

  /** Sets the time by which the client has to act. */
  private schedule(): void {
    if (this.closing !== null || this.dying) return
    this.deadline = Math.min(this.fieldsDue, this.streams.size === 0 ? this.requestDue : Number.POSITIVE_INFINITY)
  }

  onDeadline(): void {
    if (this.dying) return reset(this.socket)
    if (this.fieldsDue === Number.POSITIVE_INFINITY) return this.leave()
    this.fieldsDue = Number.POSITIVE_INFINITY
    this.broken(new ConnectionError(ErrorCode.enhanceYourCalm, 'The request head did not arrive in time.'))
  }

  private tooSlow(reason: 'reply-rate' | 'reply-timeout'): void {
    this.handler.slow(reason)
    blame(this.streams, new GatewayError('request-timeout', 'The reply was not read in time.'))
    reset(this.socket)
  }

  /** Announces which stream is the last one that is served; the connection closes after it. */
  private leave(): void {
    if (this.gracefulShutdown.announced) return
    this.gracefulShutdown.announce(this.closed.serveNoMore())
    if (this.streams.size === 0) this.linger()
  }

  private linger(): void {
    if (this.closing !== null || this.socket.destroyed) return
    if (this.cut) return this.die(0)
    this.output.flush()
    this.deadline = Number.POSITIVE_INFINITY
    this.reader.stop()
    this.closing = new LingeringClose(this.socket, this.deadlines, this.options.writeTimeout)
  }

  /** The connection cannot continue: sends the reason, and ends all streams. */
  private broken(error: unknown): void {
    this.reader.stop()
    const known = error instanceof ConnectionError
    const code = known ? error.code : ErrorCode.internalError
    this.handler.refuse(known ? new MalformedMessage(error.message) : asGatewayError(error), this.peer, null)
    this.gracefulShutdown.announce(this.closed.serveNoMore(), code, known ? error.message : '')
    this.abortAll()
    if (code !== ErrorCode.enhanceYourCalm) return this.linger()
    this.die(this.options.writeTimeout)
  }

  /** Closes the connection; the client has that many milliseconds to take what is pending. */
  private die(timeout: number): void {
    this.reader.stop()
    this.output.flush()
    this.dying = true
    this.deadline = this.deadlines.in(timeout)
    this.socket.destroySoon()
  }

  /** The client has ended its side: its complete requests are still answered, as far as its windows allow. */
  private ended(): void {
    if (this.closing !== null || this.dying) return
    for (const stream of this.streams.values())
      if (stream.clientEnded) stream.advance()
      else this.breakOff(stream, ErrorCode.cancel, new GatewayError('client-closed'))
    this.leave()
    if (this.streams.size > 0) this.gracefulShutdown.probe()
  }

  private abortAll(): void {
    this.pendingMessages.take()
    const streams = [...this.streams.values()]
    this.streams.clear()
    for (const stream of streams) {
      this.sender.forget(stream)
      stream.abort(new GatewayError('client-closed'))
      stream.leave()
    }
  }

  private onClosed(): void {
    this.deadlines.forget(this)
    this.gracefulShutdown.close()
    this.sender.close()
    this.reader.stop()
    this.abortAll()
    this.handler.closed(this)
  }
}

const AFTER_END = 'A frame arrived after the end of its stream.'
