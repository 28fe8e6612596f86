import type { Headers } from '../http/headers.ts'
import type { FieldLimits } from '../http/limits.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import type { Reply } from '../http/reply.ts'
import { badReply } from './bad-reply.ts'
import type { ClientStream } from './client-stream.ts'
import { ClosedStreams } from './closed-streams.ts'
import { ErrorCode } from './errors.ts'
import type { StreamFrames } from './frame-reader.ts'
import { protocolError, rstStreamFrame } from './frames.ts'
import { FieldDecoder } from './hpack/decoder.ts'
import type { Liveness } from './liveness.ts'
import type { Output } from './output.ts'
import { PendingMessage, PendingMessages } from './pending-message.ts'
import { ReceiveWindow } from './receive-window.ts'
import { RESPONSE_NAMING, type ResponseHead } from './response-head.ts'
import type { Sender } from './sender.ts'
import type { PeerSettings } from './settings.ts'
import { StreamTable } from './stream-table.ts'
import { Trailers } from './trailers.ts'
import { Cost, type WorkBudget } from './work-budget.ts'
import { wrongLength } from './wrong-length.ts'

/** Shared by the connections to one instance. */
export interface ReplyTools {
  readonly options: FieldLimits
  /** Its results are used at once after each head, so it may be shared with other connections. */
  readonly head: ResponseHead
}

/** The connection that the streams are on. */
export interface ClientStreamsOptions {
  /** The values may change, and apply from then on. */
  readonly tools: ReplyTools
  readonly output: Output
  readonly workBudget: WorkBudget
  readonly sender: Sender
  readonly liveness: Liveness
  /** The service's settings. */
  readonly settings: PeerSettings
  /** The service accepts no more streams, and ends the connection with that code. */
  readonly leaves: (code: number) => void
}

/** The highest stream number before the connection is replaced by another one (RFC 9113 section 5.1.1). */
const LAST_NUMBER = 2 ** 30

/** The exchanges on a connection to an instance, each in a stream (RFC 9113 section 5): what the service's frames mean for them. */
export class ClientStreams implements StreamFrames {
  private readonly tools: ReplyTools
  private readonly output: Output
  private readonly workBudget: WorkBudget
  private readonly sender: Sender
  private readonly liveness: Liveness
  private readonly settings: PeerSettings
  private readonly leaves: (code: number) => void
  private readonly room: ReceiveWindow
  private readonly decoder = new FieldDecoder(RESPONSE_NAMING)
  private readonly table = new StreamTable<ClientStream>()
  private readonly closed: ClosedStreams
  private readonly pendingMessages = new PendingMessages<ClientStream, Reply>()

  constructor({ tools, output, workBudget, sender, liveness, settings, leaves }: ClientStreamsOptions) {
    this.tools = tools
    this.output = output
    this.workBudget = workBudget
    this.sender = sender
    this.liveness = liveness
    this.settings = settings
    this.leaves = leaves
    this.room = new ReceiveWindow(output)
    this.closed = new ClosedStreams(workBudget)
  }

  // For the connection.

  get size(): number {
    return this.table.size
  }

  /** Whether too many have begun for another one. */
  get areUsedUp(): boolean {
    return this.closed.next > LAST_NUMBER
  }

  values(): Iterable<ClientStream> {
    return this.table.values()
  }

  /** A read has been processed: ends the wait for complete content, the rest of each body is streamed. */
  readEnds(): void {
    for (const pending of this.pendingMessages.take()) this.beginStreaming(pending)
  }

  /** All of them, after those that still wait for complete content have begun. */
  all(): Iterable<ClientStream> {
    this.readEnds()
    return this.table.values()
  }

  /** A stream begins: it gets its number and its window. */
  begin(stream: ClientStream): void {
    stream.id = this.closed.next
    stream.window = this.settings.initialWindow
    this.closed.begin(stream.id)
    this.table.add(stream)
    this.liveness.begin()
  }

  /** The stream carries no exchange any more. Returns false for one that never has. */
  delete(stream: ClientStream): boolean {
    if (!this.table.delete(stream.id)) return false
    this.sender.forget(stream)
    if (stream.answered) this.workBudget.earn(Cost.stream)
    return true
  }

  resetStream(id: number, code: ErrorCode): void {
    this.output.put(rstStreamFrame(id, code))
    this.closed.wasReset(id)
  }

  /** The service's frames can no longer be parsed. */
  refuseAll(error: unknown): void {
    this.pendingMessages.take()
    for (const stream of this.table.values()) stream.end(badReply(error), null)
  }

  /** The connection is closed. */
  cutAll(cause: Error | null): void {
    this.pendingMessages.take()
    for (const stream of this.table.values()) stream.wasCut(cause)
  }

  // Replies.

  fieldSection(id: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const pending = this.pendingMessages.of(id)
    if (pending !== undefined) this.beginStreaming(pending)
    const stream = this.table.get(id)
    if (stream !== undefined) this.liveness.moved()
    if (stream?.answered === true) return this.trailers(stream, bytes, start, end, endStream)
    const { head } = this.tools
    head.begin()
    this.decoder.decode(bytes, start, end, head)
    if (stream === undefined) return this.closed.receive(id, 0)
    try {
      head.finish()
      const reply = stream.take(head, endStream)
      if (reply !== null) this.answer(stream, reply, head.contentLength, endStream)
    } catch (error) {
      this.refuse(stream, error)
    }
  }

  private answer(stream: ClientStream, reply: Reply, length: number, endStream: boolean): void {
    if (stream.opens(reply)) {
      stream.change(reply)
      if (endStream) stream.contentEnded(null)
      return
    }
    if (endStream) return stream.whole(reply)
    if (stream.mayFollow(reply)) this.pendingMessages.add(new PendingMessage(stream, reply, length))
    else stream.begin(reply, 0)
  }

  private trailers(stream: ClientStream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const trailers = new Trailers(this.tools.options)
    this.decoder.decode(bytes, start, end, trailers)
    if (stream.ended) return this.refuse(stream, new MalformedMessage(AFTER_END), ErrorCode.streamClosed)
    if (!endStream || trailers.malformed)
      return this.refuse(stream, new MalformedMessage('The trailer section is not valid.'))
    this.end(stream, trailers.headers)
  }

  data(id: number, content: Buffer, bytes: number): void {
    // Backpressure is applied by the window of each stream, so that the others can continue.
    this.room.receives(bytes)
    this.room.consumed(bytes)
    const pending = this.pendingMessages.of(id)
    if (pending?.take(content, bytes) === true) return
    if (pending !== undefined) this.beginStreaming(pending)
    const stream = this.table.get(id)
    if (stream !== undefined) this.content(stream, content, bytes)
  }

  private content(stream: ClientStream, content: Buffer, bytes: number): void {
    if (stream.ended) return this.refuse(stream, new MalformedMessage(AFTER_END), ErrorCode.streamClosed)
    if (!stream.answered) return this.refuse(stream, new MalformedMessage('Content comes before the head.'))
    if (!stream.receives(bytes))
      return this.refuse(stream, new MalformedMessage('It exceeds the window.'), ErrorCode.flowControlError)
    if (content.length === 0) return stream.padding(bytes)
    try {
      stream.content(content)
    } catch (error) {
      this.refuse(stream, error)
    }
  }

  dataEnd(id: number, length: number, endStream: boolean): void {
    if (length === 0 && !endStream) this.workBudget.spend(1, 'empty frames')
    this.liveness.moved()
    const pending = this.pendingMessages.of(id)
    if (pending !== undefined) return endStream ? this.whole(pending) : undefined
    const stream = this.table.get(id)
    if (stream === undefined) return this.closed.receive(id, length)
    if (length > 0) this.workBudget.earn(1)
    if (endStream) this.end(stream, null)
  }

  private end(stream: ClientStream, trailers: Headers | null): void {
    if (!stream.answered) return this.refuse(stream, new MalformedMessage('The stream ends before the head.'))
    try {
      stream.contentEnded(trailers)
    } catch (error) {
      this.refuse(stream, error)
    }
  }

  /** All of the content arrived together with the head. */
  private whole(pending: PendingMessage<ClientStream, Reply>): void {
    this.pendingMessages.delete(pending)
    const { stream, message: reply, length } = pending
    const content = pending.whole()
    if (length >= 0 && length !== content.length) return this.refuse(stream, wrongLength())
    reply.body = content
    stream.whole(reply)
  }

  /** Not all of the content has arrived together with the head: it is streamed. */
  private beginStreaming(pending: PendingMessage<ClientStream, Reply>): void {
    this.pendingMessages.delete(pending)
    const { stream, message: reply, length, chunks, bytes, padding } = pending
    if (this.table.get(stream.id) !== stream) return
    stream.begin(reply, length)
    if (this.table.get(stream.id) !== stream) return
    stream.receives(bytes)
    if (padding > 0) stream.padding(padding)
    try {
      for (const chunk of chunks) stream.content(chunk)
    } catch (error) {
      this.refuse(stream, error)
    }
  }

  /** The reply is invalid: ends its stream only, not the connection. */
  private refuse(stream: ClientStream, error: unknown, code: ErrorCode = ErrorCode.protocolError): void {
    stream.end(badReply(error), code)
  }

  // Other frames.

  reset(id: number, code: number): void {
    this.readEnds()
    const stream = this.table.get(id)
    if (stream === undefined) this.closed.resetByPeer(id, false)
    else stream.wasReset(code)
  }

  goaway(last: number, code: number): void {
    this.readEnds()
    this.workBudget.spend(Cost.settings, 'GOAWAY frames')
    this.leaves(code)
    for (const stream of this.table.values()) {
      if (stream.id <= last) continue
      this.closed.wasReset(stream.id)
      stream.wasLeftOut()
    }
  }

  windowUpdate(id: number, bytes: number): void {
    if (!this.sender.isReport(bytes)) this.workBudget.spend(1, 'WINDOW_UPDATE frames')
    this.readEnds()
    const stream = this.table.get(id)
    if (id === 0) this.sender.widen(bytes)
    else if (stream === undefined) return this.closed.check(id)
    else if (bytes === 0) return this.refuse(stream, new MalformedMessage('WINDOW_UPDATE has an increment of 0.'))
    else if (!this.sender.widenStream(stream, bytes))
      return this.refuse(stream, new MalformedMessage('The window is too large.'), ErrorCode.flowControlError)
    this.sender.pump()
  }

  priorityUpdate(): void {
    throw protocolError('PRIORITY_UPDATE is for servers only.')
  }
}

const AFTER_END = 'A frame arrived after the end of its stream.'
