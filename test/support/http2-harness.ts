import { RequestHead } from '../../src/http2/request-head.ts'
import { ServerConnection } from '../../src/http2/server-connection.ts'
import type { Reply } from '../../src/http/reply.ts'
import type { ServerExchange } from '../../src/http/server-exchange.ts'
import type { ServerOptions } from '../../src/http/server-handler.ts'
import * as h2 from './http2-frames.ts'
import { readInto, RecordingSocket } from './recording-socket.ts'
import { ServerHarness } from './server-harness.ts'

/** An HTTP/2 connection on a socket without a network. */
export class RecordedHttp2 {
  readonly connection: ServerConnection
  readonly socket = new RecordingSocket()
  /** Every frame written so far. */
  readonly frames: h2.Frame[]
  private readonly parser = new h2.FrameParser()

  constructor(harness: ServerHarness) {
    const { socket } = this
    this.frames = this.parser.frames
    this.connection = new ServerConnection(socket, '192.0.2.1', harness, {
      options: harness.options,
      deadlines: harness.deadlines,
      head: new RequestHead(harness.options),
    })
    readInto(socket, this.connection)
  }

  /** Bytes arrive, if the connection is reading. */
  receive(...frames: Buffer[]): void {
    if (this.socket.destroyed) return
    this.socket.emit('data', Buffer.concat(frames))
  }

  /** Lets all pending writes happen, including those after promises. */
  async turn(): Promise<void> {
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    this.look()
  }

  /** Reads what was written. */
  look(): void {
    this.parser.push(Buffer.from(this.socket.flush(), 'latin1'))
  }

  of(type: number, stream?: number): h2.Frame[] {
    this.look()
    return this.frames.filter((frame) => frame.type === type && (stream === undefined || frame.stream === stream))
  }

  /** The code of the last GOAWAY. */
  get goaway(): number | undefined {
    return this.of(h2.Type.goaway).at(-1)?.payload.readUInt32BE(4)
  }

  /** The code that a stream was reset with. */
  resetOf(stream: number): number | undefined {
    return this.of(h2.Type.reset, stream).at(-1)?.payload.readUInt32BE()
  }

  /** Bytes of content that were sent, on one stream or on all. */
  contentOf(stream?: number): number {
    return this.of(h2.Type.data, stream).reduce((sum, { payload }) => sum + payload.length, 0)
  }

  /** The total of window updates sent to the client. */
  granted(stream: number): number {
    return this.of(h2.Type.window, stream).reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0)
  }
}

/** The server behind HTTP/2 connections in tests. */
export class Http2Harness extends ServerHarness {
  constructor(answer: (exchange: ServerExchange) => Reply | Promise<Reply>, options: Partial<ServerOptions> = {}) {
    super(answer, options)
  }

  /** Connects and exchanges the preface and these SETTINGS, including acknowledgements. */
  async begin(settings: Readonly<Record<number, number>> = {}): Promise<RecordedHttp2> {
    const recorded = new RecordedHttp2(this)
    recorded.receive(h2.PREFACE, h2.settings(settings), h2.SETTINGS_ACK)
    await recorded.turn()
    return recorded
  }
}
