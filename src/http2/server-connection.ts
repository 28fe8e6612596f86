import type { Socket } from 'node:net'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Client } from '../http/exchange.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { LingeringClose } from '../http/lingering-close.ts'
import { MalformedMessage } from '../http/malformed-message.ts'
import { sharedBuffer } from '../http/read-buffers.ts'
import { reset } from '../http/reset.ts'
import type { Running, ServedConnection, ServerHandler, ServerOptions } from '../http/server-handler.ts'
import { Control } from './control.ts'
import { ConnectionError, ErrorCode } from './errors.ts'
import { FrameReader } from './frame-reader.ts'
import { GracefulShutdown } from './graceful-shutdown.ts'
import { Output } from './output.ts'
import { ReceiveWindow } from './receive-window.ts'
import { ReplyWatch } from './reply-watch.ts'
import { Sender } from './sender.ts'
import { ServerStreams, type ServerTools } from './server-streams.ts'
import { mostFields, settingsForClient } from './settings.ts'
import { WorkBudget } from './work-budget.ts'

/** A client's connection over HTTP/2 (RFC 9113): reads frames, and ends it with or without its client. */
export class ServerConnection implements ServedConnection, Timed {
  readonly socket: Socket
  readonly peer: string
  client: Client | null = null
  deadline: number
  watchIndex = -1
  servedIndex = -1
  countedFor = ''
  order = 0
  readonly readBuffer = sharedBuffer

  private readonly handler: ServerHandler
  private readonly options: ServerOptions
  private readonly deadlines: Deadlines
  private readonly output: Output
  private readonly sender: Sender
  private readonly reader: FrameReader
  private readonly streams: ServerStreams
  private readonly gracefulShutdown: GracefulShutdown
  private closing: LingeringClose | null = null
  /** Nothing more is read; the pending output is the last. */
  private dying = false
  /** Only WebSockets are left, which end shortly. */
  private cut = false
  /** When an incomplete field section has to be complete, and when the next request has to begin. */
  private fieldsDue = Number.POSITIVE_INFINITY
  private requestDue: number

  /** Takes over a connected socket, whose bytes the caller passes to `read`. */
  constructor(socket: Socket, peer: string, handler: ServerHandler, tools: ServerTools) {
    const { options, deadlines } = tools
    this.socket = socket
    this.peer = peer
    this.handler = handler
    this.options = options
    this.deadlines = deadlines
    const output = new Output(socket)
    const workBudget = new WorkBudget(deadlines)
    const tooSlow = (reason: 'reply-rate' | 'reply-timeout'): void => this.tooSlow(reason)
    const watch = (sent: Sender): ReplyWatch => new ReplyWatch({ socket, options, deadlines, sent, tooSlow })
    const sender = new Sender({ output, workBudget, watch })
    const control = new Control({
      peer: 'client',
      output,
      workBudget,
      sender,
      streams: () => this.streams.all(),
      settled: () => {},
      answered: (content) => this.gracefulShutdown.pingAnswered(content),
    })
    this.output = output
    this.sender = sender
    this.gracefulShutdown = new GracefulShutdown(output, deadlines, () => this.leave())
    this.streams = new ServerStreams({
      ...tools,
      connection: this,
      socket,
      handler,
      output,
      workBudget,
      sender,
      settings: control.peer,
      emptied: () => this.emptied(),
    })
    this.reader = new FrameReader(this.streams, {
      control,
      peer: 'client',
      mostFields: () => mostFields(options),
      failed: (error) => this.broken(error),
    })
    this.deadline = deadlines.in(options.headTimeout)
    this.requestDue = deadlines.in(options.idleTimeout)
    deadlines.watch(this)
    output.put(settingsForClient(options) + ReceiveWindow.opening)
    socket.on('drain', () => this.drained())
    socket.on('end', () => this.ended())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.onClosed())
  }

  // For listeners.

  get inFlight(): number {
    return this.streams.running.length
  }

  get running(): readonly Running[] {
    return this.streams.running
  }

  get idle(): boolean {
    return this.streams.size === 0 && !this.socket.destroyed
  }

  get waitsForClient(): boolean {
    return !this.socket.destroyed && this.streams.waitForClient
  }

  /** Takes bytes from the socket; they are only lent. */
  read(bytes: Buffer, end: number): void {
    if (this.closing !== null) return this.closing.discard()
    this.reader.read(bytes, end)
    this.streams.readEnds()
    if (!this.reader.inFields) this.fieldsDue = Number.POSITIVE_INFINITY
    else if (this.fieldsDue === Number.POSITIVE_INFINITY) this.fieldsDue = this.deadlines.in(this.options.headTimeout)
    this.schedule()
    if (this.output.full) this.socket.pause()
  }

  reconfigure(): void {
    this.streams.reconfigure()
  }

  retire(): void {
    this.gracefulShutdown.begin()
  }

  drain(): void {
    this.leave()
  }

  preempt(): void {
    this.handler.slow('connections')
    this.streams.blame(new GatewayError('request-timeout', 'The connection was needed for other clients.'))
    if (this.streams.size === 0) this.socket.destroy()
    else reset(this.socket)
  }

  cutOff(): void {
    const { size } = this.streams
    const others = this.streams.leaveTunnels()
    this.leave()
    if (others.length < size) {
      this.cut = true
      // A reset of the connection would leave the WebSockets without their Close frames.
      for (const stream of others) this.streams.cancel(stream)
      return
    }
    if (this.streams.size > 0 || this.socket.writableLength > 0) reset(this.socket)
    else this.socket.destroy()
  }

  // Timeouts.

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
    this.streams.blame(new GatewayError('request-timeout', 'The reply was not read in time.'))
    reset(this.socket)
  }

  private drained(): void {
    this.sender.pump()
    if (this.socket.isPaused() && !this.output.full && this.closing === null) this.socket.resume()
  }

  private emptied(): void {
    if (this.gracefulShutdown.announced) return this.linger()
    this.requestDue = this.deadlines.in(this.options.idleTimeout)
    this.schedule()
  }

  // Closing.

  /** Announces which stream is the last one that is served; the connection closes after it. */
  private leave(): void {
    if (this.gracefulShutdown.announced) return
    this.gracefulShutdown.announce(this.streams.serveNoMore())
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
    this.gracefulShutdown.announce(this.streams.serveNoMore(), code, known ? error.message : '')
    this.streams.abortAll()
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

  /** The client has ended its side. */
  private ended(): void {
    if (this.closing !== null || this.dying) return
    this.streams.clientEnded()
    this.leave()
    if (this.streams.size > 0) this.gracefulShutdown.probe()
  }

  private onClosed(): void {
    this.deadlines.forget(this)
    this.gracefulShutdown.close()
    this.sender.close()
    this.reader.stop()
    this.streams.abortAll()
    this.handler.closed(this)
  }
}
