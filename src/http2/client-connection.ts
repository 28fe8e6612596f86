import type { Socket } from 'node:net'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import type { ClientOptions } from '../http/pool-options.ts'
import { sharedBuffer } from '../http/read-buffers.ts'
import { ClientStream, type ClientTools } from './client-stream.ts'
import { ClientStreams, type ReplyTools } from './client-streams.ts'
import { Control } from './control.ts'
import { ConnectionError, ErrorCode, errorName } from './errors.ts'
import { FrameReader } from './frame-reader.ts'
import { goawayFrame, pingFrame, PREFACE } from './frames.ts'
import { Liveness } from './liveness.ts'
import { Output } from './output.ts'
import { ReceiveWindow } from './receive-window.ts'
import { Sender } from './sender.ts'
import { settingsForService, mostFields, STREAMS } from './settings.ts'
import { WorkBudget } from './work-budget.ts'

/** The pool that a connection belongs to. */
export interface ClientOwner extends ReplyTools {
  readonly options: ClientOptions
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
export class ClientConnection implements ClientTools, Timed {
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
  private readonly liveness: Liveness
  private readonly control: Control
  private readonly streams: ClientStreams
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
    const output = new Output(socket)
    const workBudget = new WorkBudget(deadlines)
    const sender = new Sender({ output, workBudget })
    const control = new Control({
      peer: 'server',
      output,
      workBudget,
      sender,
      streams: () => this.streams.all(),
      settled: () => this.settled(),
      answered: () => {},
    })
    const liveness = new Liveness({
      deadlines,
      waits: () => this.streams.size > 0,
      ask: () => output.put(pingFrame(ALIVE, false)),
      dead: () => this.die(new Error('it did not answer a PING')),
    })
    this.output = output
    this.sender = sender
    this.control = control
    this.liveness = liveness
    this.streams = new ClientStreams({
      tools: owner,
      output,
      workBudget,
      sender,
      liveness,
      settings: control.peer,
      leaves: (code) => this.serviceLeaves(code),
    })
    this.reader = new FrameReader(this.streams, {
      control,
      peer: 'server',
      mostFields: () => mostFields(this.options),
      failed: (error) => this.broken(error),
    })
    this.made = deadlines.now
    this.expires = this.made + options.lifetime()
    this.deadline = deadlines.in(timeout)
    deadlines.watch(this)
    output.put(PREFACE + settingsForService(options) + ReceiveWindow.opening)
    output.flush()
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
    this.streams.readEnds()
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
    this.streams.begin(stream)
    if (this.streams.areUsedUp) this.retire()
    return true
  }

  detach(): boolean {
    if (!this.owner.detach()) return false
    this.lasting++
    return true
  }

  resetStream(id: number, code: ErrorCode): void {
    this.streams.resetStream(id, code)
  }

  left(stream: ClientStream): void {
    this.lanes--
    if (stream.lasting) this.lasting--
    if (this.streams.delete(stream)) this.served++
    this.owner.released(this, stream.lasting)
    if (this.writesEnded) return
    if (this.retired || this.deadlines.now >= this.expires) return this.retire()
    if (this.lanes === 0) this.rest()
    this.owner.changed(this)
  }

  // Timeouts.

  /** The service has sent its settings, and is ready once it accepts requests; at first it may not (RFC 9113 section 6.5.2). */
  private settled(): void {
    if (this.standing) return this.owner.changed(this)
    if (this.most === 0) return
    this.standing = true
    this.rest()
    this.owner.connected(this)
  }

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

  // Closing.

  /** The service's frames can no longer be parsed. */
  private broken(error: unknown): void {
    if (!this.reader.hasReceived) return this.die(new Error(NOT_HTTP2))
    const { code, message } = error instanceof ConnectionError ? error : { code: ErrorCode.internalError, message: '' }
    this.output.put(goawayFrame(0, code, message))
    this.leave()
    this.retire()
    this.streams.refuseAll(error)
  }

  /** The service accepts no more exchanges, and ends the connection with that code. */
  private serviceLeaves(code: number): void {
    if (code !== ErrorCode.noError) this.cause = new Error(`it ended the connection with ${errorName(code)}`)
    this.retire()
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
    this.reader.stop()
    this.liveness.close()
    this.sender.close()
    this.deadlines.forget(this)
    this.socket.destroy()
    if (!this.retired) {
      this.retired = true
      this.owner.closed(this, this.standing ? null : (cause ?? new Error(NOT_HTTP2)))
    }
    this.streams.cutAll(cause)
  }
}

/** Content of the gateway's own PING frames. */
const ALIVE = '\0ALIVE?\0'
/** How long the service may take to read the last frames, in milliseconds. */
const GOAWAY_TIMEOUT = 1_000
const NOT_CONFIRMED = 'it did not confirm in time that it speaks HTTP/2'
const NO_STREAMS = 'its SETTINGS_MAX_CONCURRENT_STREAMS is 0'
const NOT_HTTP2 = 'the server does not speak HTTP/2: check http2 of the service'
