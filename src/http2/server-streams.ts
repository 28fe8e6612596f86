import type { Socket } from 'node:net'
import { Bytes } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import type { Deadlines } from '../http/deadlines.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { ServerExchange } from '../http/server-exchange.ts'
import type { ServedConnection, ServerHandler, ServerOptions } from '../http/server-handler.ts'
import { watchPeer } from '../http/watch-peer.ts'
import { ClosedStreams } from './closed-streams.ts'
import { ErrorCode } from './errors.ts'
import type { StreamFrames } from './frame-reader.ts'
import { protocolError, rstStreamFrame } from './frames.ts'
import { FieldDecoder } from './hpack/decoder.ts'
import { namingOf } from './hpack/field-table.ts'
import type { Output } from './output.ts'
import { PendingMessage, PendingMessages } from './pending-message.ts'
import { ReceiveWindow } from './receive-window.ts'
import { replySection } from './reply-head.ts'
import type { RequestHead } from './request-head.ts'
import type { Sender } from './sender.ts'
import { ServerStream } from './server-stream.ts'
import { type PeerSettings, STREAMS } from './settings.ts'
import { StreamTable } from './stream-table.ts'
import type { StreamTools } from './stream-tools.ts'
import { Trailers } from './trailers.ts'
import { Cost, costOf, type WorkBudget } from './work-budget.ts'
import { wrongLength } from './wrong-length.ts'

/** Shared by the connections of one listener. */
export interface ServerTools {
  /** The values may change, and apply from then on. */
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  /** Its results are used at once after each head, so one instance serves all connections. */
  readonly head: RequestHead
}

/** The connection that the streams are on. */
export interface ServerStreamsOptions extends ServerTools {
  readonly connection: ServedConnection
  readonly socket: Socket
  readonly handler: ServerHandler
  readonly output: Output
  readonly workBudget: WorkBudget
  readonly sender: Sender
  /** The client's settings. */
  readonly settings: PeerSettings
  /** The last of the streams has ended. */
  readonly emptied: () => void
}

/** The requests of one client's connection, each in a stream (RFC 9113 section 5): what the client's frames mean for them. */
export class ServerStreams implements StreamFrames, StreamTools {
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  readonly handler: ServerHandler
  readonly peer: string
  readonly sender: Sender
  readonly room: ReceiveWindow

  private readonly connection: ServedConnection
  private readonly socket: Socket
  private readonly output: Output
  private readonly workBudget: WorkBudget
  private readonly settings: PeerSettings
  private readonly head: RequestHead
  private readonly decoder: FieldDecoder
  private readonly emptied: () => void
  private readonly table = new StreamTable<ServerStream>()
  private readonly closed: ClosedStreams
  private readonly pendingMessages = new PendingMessages<ServerStream, ServerExchange>()

  constructor(options: ServerStreamsOptions) {
    this.options = options.options
    this.deadlines = options.deadlines
    this.handler = options.handler
    this.peer = options.connection.peer
    this.sender = options.sender
    this.room = new ReceiveWindow(options.output)
    this.connection = options.connection
    this.socket = options.socket
    this.output = options.output
    this.workBudget = options.workBudget
    this.settings = options.settings
    this.head = options.head
    this.decoder = new FieldDecoder(namingOf(options.options))
    this.emptied = options.emptied
    this.closed = new ClosedStreams(options.workBudget)
  }

  // For the connection.

  get size(): number {
    return this.table.size
  }

  /** Streams whose exchange has not ended. */
  get running(): ServerStream[] {
    return [...this.table.values()].filter(({ current }) => current !== null)
  }

  /** Whether each of them waits for the client, to send something or to take something. */
  get waitForClient(): boolean {
    return this.running.every((stream) => stream.waitsForClient || this.sender.waitsFor(stream))
  }

  /** The options have changed. */
  reconfigure(): void {
    this.decoder.rename(namingOf(this.options))
  }

  /** A read has been processed: ends the wait for complete content, the rest of each body is streamed. */
  readEnds(): void {
    for (const pending of this.pendingMessages.take()) this.beginStreaming(pending)
  }

  /** All of them, after those that still wait for complete content have begun. */
  all(): Iterable<ServerStream> {
    this.readEnds()
    return this.table.values()
  }

  /** No stream that begins from now on is served. Returns the last one that is. */
  serveNoMore(): number {
    return this.closed.serveNoMore()
  }

  /** Records the error with which they are going to end. */
  blame(error: GatewayError): void {
    for (const { current } of this.table.values()) if (current !== null) current.error ??= error
  }

  /** Ends WebSockets shortly, with a Close frame; returns the other streams. */
  leaveTunnels(): ServerStream[] {
    return [...this.table.values()].filter((stream) => !stream.leaveTunnel())
  }

  /** Ends one of them at once. */
  cancel(stream: ServerStream): void {
    this.breakOff(stream, ErrorCode.cancel, new GatewayError('client-closed'))
  }

  /** The client sends nothing more: its complete requests are still answered, as far as its windows allow. */
  clientEnded(): void {
    for (const stream of this.table.values())
      if (stream.clientEnded) stream.advance()
      else this.cancel(stream)
  }

  /** The connection is closed, or cannot continue. */
  abortAll(): void {
    this.pendingMessages.take()
    const streams = [...this.table.values()]
    this.table.clear()
    for (const stream of streams) {
      this.sender.forget(stream)
      stream.abort(new GatewayError('client-closed'))
      stream.leave()
    }
  }

  // Requests.

  fieldSection(id: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const stream = this.table.get(id)
    if (stream !== undefined) {
      this.readEnds()
      return this.trailers(stream, bytes, start, end, endStream)
    }
    if (id % 2 === 0) throw protocolError('Clients may only open streams with odd numbers.')
    this.head.begin()
    this.decoder.decode(bytes, start, end, this.head)
    if (id <= this.closed.last) return this.closed.receive(id, 0)
    if (!this.closed.begin(id)) return this.workBudget.spend(1, 'streams that are not served')
    if (this.table.size < STREAMS) return this.begin(id, end - start, endStream)
    this.workBudget.spend(Cost.stream, 'streams at a time')
    this.resetStream(id, ErrorCode.refusedStream)
  }

  private begin(id: number, bytes: number, endStream: boolean): void {
    const { head, handler, connection, deadlines } = this
    const stream = new ServerStream(id, this.settings.initialWindow, this)
    let exchange: ServerExchange
    try {
      head.finish()
      exchange = new ServerExchange(head, handler.identify(connection, head), deadlines.clock.now(), stream)
      if (endStream && head.contentLength > 0) throw wrongLength()
    } catch (error) {
      this.workBudget.spend(costOf(bytes), 'requests that cannot be read')
      return this.refuse(stream, error, endStream)
    }
    this.table.add(stream)
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
    const pending = this.pendingMessages.of(id)
    if (pending?.take(content, bytes) === true) return
    if (pending !== undefined) this.beginStreaming(pending)
    const stream = this.table.get(id)
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
    const pending = this.pendingMessages.of(id)
    if (endStream && pending !== undefined) return this.whole(pending)
    if (pending !== undefined) this.beginStreaming(pending)
    const stream = this.table.get(id)
    if (stream === undefined) return this.closed.receive(id, length)
    if (stream.clientEnded) return this.failStream(stream, ErrorCode.streamClosed, AFTER_END)
    if (length > 0) this.workBudget.earn(1)
    if (!endStream) return
    if (!stream.contentFits) return this.failStream(stream, ErrorCode.protocolError, wrongLength().message)
    stream.contentEnded(null)
  }

  /** All of the content arrived together with the head. */
  private whole(pending: PendingMessage<ServerStream, ServerExchange>): void {
    this.pendingMessages.delete(pending)
    const { stream, message: exchange, length, bytes } = pending
    const content = pending.whole()
    this.room.consumed(bytes)
    if (length >= 0 && length !== content.length) {
      this.table.delete(stream.id)
      return this.refuse(stream, wrongLength(), true)
    }
    if (content.length <= this.options.body)
      return stream.begin(exchange, content.length, true, content.length === 0 ? null : content)
    stream.begin(exchange, content.length, false, null)
    stream.contentEnded(null)
  }

  /** Not all of the content has arrived together with the head: it is streamed. */
  private beginStreaming(pending: PendingMessage<ServerStream, ServerExchange>): void {
    this.pendingMessages.delete(pending)
    const { stream, message: exchange, length, chunks, bytes, padding } = pending
    if (this.table.get(stream.id) !== stream) return this.room.consumed(bytes)
    stream.begin(exchange, length, false, null)
    stream.receives(bytes)
    if (padding > 0) stream.padding(padding)
    for (const chunk of chunks)
      if (this.table.get(stream.id) === stream) this.content(stream, chunk)
      else this.room.consumed(chunk.length)
  }

  // Other frames.

  reset(id: number): void {
    this.readEnds()
    const stream = this.table.get(id)
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
    const stream = this.table.get(id)
    if (id === 0) this.sender.widen(bytes)
    else if (stream === undefined) return this.closed.check(id)
    else if (bytes === 0)
      return this.failStream(stream, ErrorCode.protocolError, 'WINDOW_UPDATE has an increment of 0.')
    else if (!this.sender.widenStream(stream, bytes))
      this.failStream(stream, ErrorCode.flowControlError, 'The window is too large.')
    this.sender.pump()
  }

  priorityUpdate(id: number, value: string): void {
    this.workBudget.spend(1 + costOf(value.length), 'PRIORITY_UPDATE frames')
    if (id === 0) throw protocolError('PRIORITY_UPDATE is for stream 0.')
    this.table.get(id)?.prioritize(value)
  }

  // For the streams.

  watchPeer(): void {
    watchPeer(this.socket)
  }

  endEarly(stream: ServerStream, code: ErrorCode): void {
    if (this.table.get(stream.id) !== stream) return
    this.resetStream(stream.id, code)
    this.forget(stream)
  }

  left(stream: ServerStream): void {
    this.workBudget.earn(Cost.stream)
    this.forget(stream)
  }

  // Endings.

  private resetStream(id: number, code: ErrorCode): void {
    this.output.put(rstStreamFrame(id, code))
    this.closed.wasReset(id)
  }

  /** The client has violated the protocol within a stream: ends that stream only. */
  private failStream(stream: ServerStream, code: ErrorCode, message: string): void {
    this.readEnds()
    this.workBudget.spend(Cost.stream, 'streams that are broken')
    this.breakOff(stream, code, new GatewayError('bad-request', message))
  }

  private breakOff(stream: ServerStream, code: ErrorCode, error: GatewayError): void {
    this.endEarly(stream, code)
    stream.abort(error)
  }

  private forget(stream: ServerStream): void {
    this.table.delete(stream.id)
    this.sender.forget(stream)
    stream.leave()
    if (this.table.size === 0) this.emptied()
  }
}

const AFTER_END = 'A frame arrived after the end of its stream.'
