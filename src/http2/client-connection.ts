import type { Socket } from 'node:net'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import type { Headers } from '../http/headers.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import type { ClientOptions } from '../http/pool-options.ts'
import { sharedBuffer } from '../http/read-buffers.ts'
import type { Reply } from '../http/reply.ts'
import { badReply } from './bad-reply.ts'
import { ClosedStreams } from './closed-streams.ts'
import { Control } from './control.ts'
import { ClientStream, type ClientTools } from './client-stream.ts'
import { ConnectionError, ErrorCode, errorName } from './errors.ts'
import { FrameReader, type StreamFrames } from './frame-reader.ts'
import { goawayFrame, pingFrame, PREFACE, protocolError, rstStreamFrame } from './frames.ts'
import { FieldDecoder } from './hpack/decoder.ts'
import { Liveness } from './liveness.ts'
import { PendingMessage, PendingMessages } from './pending-message.ts'
import { Output } from './output.ts'
import { Cost, WorkBudget } from './work-budget.ts'
import { ReceiveWindow } from './receive-window.ts'
import { RESPONSE_NAMING, type ResponseHead } from './response-head.ts'
import { Sender } from './sender.ts'
import { clientSettings, mostFields, STREAMS } from './settings.ts'
import { StreamTable } from './stream-table.ts'
import { Trailers } from './trailers.ts'
import { wrongLength } from './wrong-length.ts'

/** The highest stream number before the connection is replaced by another one (RFC 9113 section 5.1.1). */
const LAST_NUMBER = 2 ** 30

/** The pool that a connection belongs to. */
export interface ClientOwner {
  readonly options: ClientOptions
  /** Its results are used at once after each `parse`, so it may be shared with other connections. */
  readonly head: ResponseHead
  /** The service speaks HTTP/2: exchanges may begin. */
  connected(connection: ClientConnection): void
  /** The number of exchanges that it may carry has changed. */
  changed(connection: ClientConnection): void
  /** One of its lanes no longer carries an exchange; `lasting` says whether that was a long-lived one. */
  released(connection: ClientConnection, lasting: boolean): void
  /** Another exchange is long-lived and is counted separately from now on. False if the limit of those is reached. */
  detach(): boolean
  /** The connection is closed, or accepts no more exchanges. If it was never established, `error` says why. */
  closed(connection: ClientConnection, error: Error | null): void
}

/** A connection to an instance over HTTP/2: carries many exchanges at a time (RFC 9113). */
export class ClientConnection implements StreamFrames, ClientTools, Timed {
  readonly socket: Socket
  deadline: number
  watchIndex = -1
  readonly deadlines: Deadlines
  readonly sender: Sender
  readonly scheme: 'http' | 'https'
  readonly readBuffer = sharedBuffer
  options: ClientOptions
  /** The client named to the service in the preamble of the connection; null where it may be used for any client. */
  introduced: string | null = null
  reads = 0
  /** Number of long-lived exchanges. */
  lasting = 0
  /** The error of its socket, with TLS: in TLS 1.3, the service may refuse this side's part of the handshake after it. */
  tlsError: Error | null = null

  private readonly owner: ClientOwner
  private readonly output: Output
  private readonly reader: FrameReader
  private readonly decoder = new FieldDecoder(RESPONSE_NAMING)
  private readonly workBudget: WorkBudget
  private readonly liveness: Liveness
  private readonly room: ReceiveWindow
  private readonly control: Control
  private readonly streams = new StreamTable<ClientStream>()
  private readonly closed: ClosedStreams
  private readonly pendingMessages = new PendingMessages<ClientStream, Reply>()
  /** Number of lanes that were handed out and not given back. */
  private lanes = 0
  private served = 0
  private standing = false
  /** No new exchange is started here. */
  private retired = false
  /** No more frames are written. */
  private writesEnded = false
  /** When it was established, and when it is no longer reused, on the clock of the deadlines. */
  private readonly made: number
  private expires: number
  private cause: Error | null = null

  /** Takes over a connected socket; the service has `timeout` milliseconds to show that it speaks HTTP/2. */
  constructor(socket: Socket, owner: ClientOwner, deadlines: Deadlines, timeout: number) {
    const { options } = owner
    this.socket = socket
    this.owner = owner
    this.options = options
    this.deadlines = deadlines
    this.scheme = options.encryption === null ? 'http' : 'https'
    this.output = new Output(socket)
    this.workBudget = new WorkBudget(deadlines)
    this.closed = new ClosedStreams(this.workBudget)
    this.room = new ReceiveWindow(this.output)
    this.sender = new Sender({ output: this.output, workBudget: this.workBudget })
    this.control = new Control({
      peer: 'server',
      output: this.output,
      workBudget: this.workBudget,
      sender: this.sender,
      streams: () => this.opened(),
      settled: () => this.settled(),
      answered: () => {},
    })
    this.reader = new FrameReader(this, {
      control: this.control,
      peer: 'server',
      mostFields: () => mostFields(this.options),
      failed: (error) => this.broken(error),
    })
    this.liveness = new Liveness({
      deadlines,
      waits: () => this.streams.size > 0,
      ask: () => this.output.put(pingFrame(ALIVE, false)),
      dead: () => this.die(new Error('it did not answer a PING')),
    })
    this.made = deadlines.now
    this.expires = this.made + options.lifetime()
    this.deadline = deadlines.in(timeout)
    deadlines.watch(this)
    this.output.put(PREFACE + clientSettings(options) + ReceiveWindow.opening)
    this.output.flush()
    socket.on('drain', () => this.drained())
    // Nothing that is still awaited will arrive.
    socket.on('end', () => this.die(this.cause))
    socket.on('error', (error) => this.failed(error))
    socket.on('close', () => this.die(this.cause))
  }

  // For its owner.

  /** Whether it can carry another exchange. */
  get hasRoom(): boolean {
    return this.standing && !this.retired && this.lanes < this.most && this.deadlines.now < this.expires
  }

  /** Maximum number of concurrent exchanges. */
  get most(): number {
    return Math.min(STREAMS, this.control.peer.maxStreams)
  }

  /** Number of exchanges that it carries, and of lanes reserved for more. */
  get busy(): number {
    return this.lanes
  }

  /** The exchanges that it carries. */
  get carried(): Iterable<ClientStream> {
    return this.streams.values()
  }

  /** A lane for one exchange; there must be room for it. */
  lane(): ClientStream {
    this.lanes++
    this.deadline = this.expires
    return new ClientStream(this)
  }

  /** Adopts the current options of its owner. */
  renew(): void {
    const { options } = this.owner
    this.options = options
    this.expires = Math.min(this.expires, this.made + options.lifetime())
    this.rest()
  }

  /** Accepts no more exchanges; closes once it carries none. */
  retire(): void {
    if (!this.retired) {
      this.retired = true
      this.owner.closed(this, null)
    }
    if (this.lanes === 0 && !this.writesEnded) this.close()
  }

  /** Takes bytes from the socket; they are only lent. */
  read(bytes: Buffer, end: number): void {
    this.reads++
    this.liveness.received()
    this.reader.read(bytes, end)
    this.open()
    if (this.output.full) this.socket.pause()
  }

  // For its streams.

  get offersTunnels(): boolean {
    return this.control.peer.connectProtocol
  }

  get resting(): boolean {
    return this.served > 0 && this.streams.size === 0
  }

  begin(stream: ClientStream): boolean {
    if (this.retired || this.socket.destroyed) return false
    stream.id = this.closed.next
    stream.window = this.control.peer.initialWindow
    this.closed.begin(stream.id)
    this.streams.add(stream)
    this.liveness.begin()
    if (this.closed.next > LAST_NUMBER) this.retire()
    return true
  }

  detach(): boolean {
    if (!this.owner.detach()) return false
    this.lasting++
    return true
  }

  resetStream(id: number, code: ErrorCode): void {
    this.output.put(rstStreamFrame(id, code))
    this.closed.wasReset(id)
  }

  left(stream: ClientStream): void {
    this.lanes--
    if (stream.lasting) this.lasting--
    if (this.streams.delete(stream.id)) {
      this.sender.forget(stream)
      this.served++
      if (stream.answered) this.workBudget.earn(Cost.stream)
    }
    this.owner.released(this, stream.lasting)
    if (this.writesEnded) return
    if (this.retired || this.deadlines.now >= this.expires) return this.retire()
    if (this.lanes === 0) this.rest()
    this.owner.changed(this)
  }

  // Replies.

  fieldSection(id: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const pending = this.pendingMessages.of(id)
    if (pending !== undefined) this.begun(pending)
    const stream = this.streams.get(id)
    if (stream !== undefined) this.liveness.moved()
    if (stream?.answered === true) return this.trailers(stream, bytes, start, end, endStream)
    const { head } = this.owner
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
    const trailers = new Trailers(this.options)
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
    const opening = this.pendingMessages.of(id)
    if (opening?.take(content, bytes) === true) return
    if (opening !== undefined) this.begun(opening)
    const stream = this.streams.get(id)
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
    const opening = this.pendingMessages.of(id)
    if (opening !== undefined) return endStream ? this.openWhole(opening) : undefined
    const stream = this.streams.get(id)
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
  private openWhole(opening: PendingMessage<ClientStream, Reply>): void {
    this.pendingMessages.delete(opening)
    const { stream, message: reply, length } = opening
    const whole = opening.whole()
    if (length >= 0 && length !== whole.length) return this.refuse(stream, wrongLength())
    reply.body = whole
    stream.whole(reply)
  }

  /** Ends the wait for complete content: the rest of each body is streamed. */
  private open(): void {
    for (const opening of this.pendingMessages.take()) this.begun(opening)
  }

  /** The same for one of them. */
  private begun(opening: PendingMessage<ClientStream, Reply>): void {
    this.pendingMessages.delete(opening)
    const { stream, message: reply, length, chunks, bytes, padding } = opening
    if (this.streams.get(stream.id) !== stream) return
    stream.begin(reply, length)
    if (this.streams.get(stream.id) !== stream) return
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

  /** All streams, after finishing those that are still being opened. */
  private opened(): Iterable<ClientStream> {
    this.open()
    return this.streams.values()
  }

  /** The service has sent its settings, and is ready once it accepts requests; at first it may not (RFC 9113 section 6.5.2). */
  private settled(): void {
    if (this.standing) return this.owner.changed(this)
    if (this.most === 0) return
    this.standing = true
    this.rest()
    this.owner.connected(this)
  }

  // Other frames.

  reset(id: number, code: number): void {
    this.open()
    const stream = this.streams.get(id)
    if (stream === undefined) this.closed.resetByPeer(id, false)
    else stream.wasReset(code)
  }

  goaway(last: number, code: number): void {
    this.open()
    this.workBudget.spend(Cost.settings, 'GOAWAY frames')
    if (code !== ErrorCode.noError) this.cause = new Error(`it ended the connection with ${errorName(code)}`)
    this.retire()
    for (const stream of this.streams.values()) {
      if (stream.id <= last) continue
      this.closed.wasReset(stream.id)
      stream.wasLeftOut()
    }
  }

  windowUpdate(id: number, bytes: number): void {
    if (!this.sender.isReport(bytes)) this.workBudget.spend(1, 'WINDOW_UPDATE frames')
    this.open()
    const stream = this.streams.get(id)
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

  // Timeouts and closing.

  /** Sets how long the connection is kept: possibly less while it carries nothing. */
  private rest(): void {
    this.deadline = this.expires
    if (this.lanes === 0) this.deadline = Math.min(this.expires, this.deadlines.in(this.options.poolTimeout))
  }

  onDeadline(): void {
    if (this.writesEnded) return void this.socket.destroy()
    if (!this.standing) return this.die(new Error(this.most === 0 ? NO_STREAMS : NOT_CONFIRMED))
    this.retire()
  }

  private drained(): void {
    this.sender.pump()
    if (this.socket.isPaused() && !this.output.full) this.socket.resume()
  }

  private failed(error: Error): void {
    const { encryption } = this.options
    this.tlsError = encryption === null ? null : encryption.explain(error)
    this.cause ??= this.tlsError ?? error
    // A TLS error after the handshake does not close the connection by itself.
    if (encryption !== null) this.socket.destroy()
  }

  /** The service's frames can no longer be parsed. */
  private broken(error: unknown): void {
    if (!this.reader.hasReceived) return this.die(new Error(NOT_HTTP2))
    const { code, message } = error instanceof ConnectionError ? error : { code: ErrorCode.internalError, message: '' }
    this.output.put(goawayFrame(0, code, message))
    this.pendingMessages.take()
    this.leave()
    this.retire()
    for (const stream of this.streams.values()) stream.end(badReply(error), null)
  }

  /** Announces the end of the connection, and closes it. */
  private close(): void {
    this.output.put(goawayFrame(0, ErrorCode.noError, ''))
    this.leave()
  }

  private leave(): void {
    if (this.writesEnded) return
    this.writesEnded = true
    this.reader.stop()
    this.output.flush()
    this.deadline = this.deadlines.in(GOAWAY_TIMEOUT)
    this.socket.destroySoon()
  }

  /** The connection is closed, or no longer usable. */
  private die(cause: Error | null): void {
    this.writesEnded = true
    this.pendingMessages.take()
    this.reader.stop()
    this.liveness.close()
    this.sender.close()
    this.deadlines.forget(this)
    this.socket.destroy()
    if (!this.retired) {
      this.retired = true
      this.owner.closed(this, this.standing ? null : (cause ?? new Error(NOT_HTTP2)))
    }
    for (const stream of this.streams.values()) stream.wasCut(cause)
  }
}

/** Content of the gateway's own PING frames. */
const ALIVE = '\0ALIVE?\0'
/** How long the service may take to read the last frames, in milliseconds. */
const GOAWAY_TIMEOUT = 1_000
const AFTER_END = 'A frame arrived after the end of its stream.'
const NOT_CONFIRMED = 'it did not confirm in time that it speaks HTTP/2'
const NO_STREAMS = 'its SETTINGS_MAX_CONCURRENT_STREAMS is 0'
const NOT_HTTP2 = 'the server does not speak HTTP/2: check http2 of the service'
