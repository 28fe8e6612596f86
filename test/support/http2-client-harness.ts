import { Bytes, isStream } from '../../src/http/body.ts'
import type { GatewayError } from '../../src/core/errors.ts'
import { Deadlines } from '../../src/http/deadlines.ts'
import type { Headers } from '../../src/http/headers.ts'
import type { ReplyListener } from '../../src/http/lane.ts'
import { defaultHeadLimits } from '../../src/http/limits.ts'
import type { OutgoingRequest } from '../../src/http/outgoing-request.ts'
import type { ClientOptions } from '../../src/http/pool-options.ts'
import type { Reply } from '../../src/http/reply.ts'
import { ClientConnection, type ClientOwner } from '../../src/http2/client-connection.ts'
import type { ClientStream } from '../../src/http2/client-stream.ts'
import { ResponseHead } from '../../src/http2/response-head.ts'
import { CollectingSink } from './bodies.ts'
import * as h2 from './http2-frames.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { outgoing } from './outgoing.ts'
import { readInto, RecordingSocket } from './recording-socket.ts'

/** The events of one exchange. */
export class Told implements ReplyListener {
  readonly lane: ClientStream
  readonly interim: number[] = []
  reply: Reply | null = null
  lasting = false
  error: GatewayError | null = null
  broken: GatewayError | null = null
  /** How often it was notified that the lane is done with it. */
  finishes = 0
  /** The order of the notifications. */
  readonly calls: string[] = []
  private sink: CollectingSink | null = null

  constructor(lane: ClientStream) {
    this.lane = lane
  }

  interimReply(status: number): void {
    this.interim.push(status)
  }

  replied(reply: Reply, lasting: boolean): void {
    this.calls.push('replied')
    this.reply = reply
    this.lasting = lasting
  }

  failed(error: GatewayError): void {
    this.calls.push('failed')
    this.error = error
  }

  brokeOff(error: GatewayError): void {
    this.calls.push('brokeOff')
    this.broken = error
  }

  finished(): void {
    this.calls.push('finished')
    this.finishes++
  }

  /** Receives the body as it arrives, or continues reading where it stopped before. */
  pipe(): CollectingSink {
    if (this.sink !== null) return this.sink
    this.sink = new CollectingSink()
    const body = this.reply?.body ?? null
    if (isStream(body)) body.pipe(this.sink)
    return this.sink
  }

  /** The body received so far. */
  get text(): string | null {
    const body = this.reply?.body
    if (body === null || body === undefined) return null
    return body instanceof Bytes ? body.toLatin1() : this.pipe().text
  }

  get trailers(): Headers | null {
    return this.pipe().trailers
  }

  /** The message of the error's cause. */
  get why(): string {
    const error = this.error ?? this.broken
    return error?.cause instanceof Error ? error.cause.message : (error?.message ?? '')
  }
}

/** A connection to a service on a socket without a network; the test plays the service. */
export class RecordedService implements ClientOwner {
  readonly clock = new ManualClock()
  readonly deadlines = new Deadlines(this.clock)
  readonly socket = new RecordingSocket()
  readonly options: ClientOptions
  readonly head: ResponseHead
  readonly connection: ClientConnection
  readonly frames: h2.Frame[]
  /** The notifications to the owner. */
  readonly events: string[] = []
  refusal: Error | null = null
  mayLast = true
  private readonly parser = new h2.FrameParser()
  private preface = h2.PREFACE.length

  constructor(options: Partial<ClientOptions> = {}) {
    this.options = {
      ...defaultHeadLimits,
      responseTimeout: 30_000,
      idleTimeout: 60_000,
      poolTimeout: 40_000,
      lifetime: () => 300_000,
      encryption: null,
      ...options,
    }
    this.head = new ResponseHead(this.options)
    this.frames = this.parser.frames
    this.connection = new ClientConnection(this.socket, this, this.deadlines, 2000)
    readInto(this.socket, this.connection)
  }

  /** A service that has sent its SETTINGS, with these values. */
  static greeted(
    settings: Readonly<Record<number, number>> = {},
    options: Partial<ClientOptions> = {},
  ): RecordedService {
    const service = new RecordedService(options)
    service.receive(h2.settings(settings), h2.SETTINGS_ACK)
    return service
  }

  connected = (): void => void this.events.push('stands')
  changed = (): void => {}
  released = (): void => {}
  detach = (): boolean => this.mayLast

  closed = (_: ClientConnection, error: Error | null): void => {
    this.events.push('closed')
    this.refusal = error
  }

  send(parts: Partial<OutgoingRequest> = {}): Told {
    const reported = new Told(this.connection.lane())
    reported.lane.exchange({ ...outgoing, ...parts }, reported)
    return reported
  }

  /** Bytes arrive, if the connection is reading. */
  receive(...frames: Buffer[]): void {
    if (!this.socket.destroyed) this.socket.emit('data', Buffer.concat(frames))
  }

  /** Lets all pending writes happen. */
  async turn(): Promise<void> {
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    this.look()
  }

  look(): void {
    const written = Buffer.from(this.socket.flush(), 'latin1')
    const skipped = Math.min(this.preface, written.length)
    this.preface -= skipped
    this.parser.push(written.subarray(skipped))
  }

  of(type: number, stream?: number): h2.Frame[] {
    this.look()
    return this.frames.filter((frame) => frame.type === type && (stream === undefined || frame.stream === stream))
  }

  get goaway(): number | undefined {
    return this.of(h2.Type.goaway).at(-1)?.payload.readUInt32BE(4)
  }

  resetOf(stream: number): number | undefined {
    return this.of(h2.Type.reset, stream).at(-1)?.payload.readUInt32BE()
  }

  contentOf(stream: number): number {
    return this.of(h2.Type.data, stream).reduce((sum, { payload }) => sum + payload.length, 0)
  }

  /** Whether the request was ended. */
  endedOf(stream: number): boolean {
    return this.frames.some(
      ({ type, stream: of, flags }) =>
        of === stream && (type === h2.Type.data || type === h2.Type.headers) && (flags & h2.END_STREAM) !== 0,
    )
  }

  granted(stream: number): number {
    return this.of(h2.Type.window, stream).reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0)
  }
}
