import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Field } from '../../src/http2/hpack/field.ts'
import { FieldDecoder } from '../../src/http2/hpack/decoder.ts'
import { requestFieldNames } from '../../src/http/field-names.ts'
import { cleanUp } from './cleanup.ts'
import * as h2 from './http2-frames.ts'
import { TIMEOUT } from './timeout.ts'
import { connectSecurely } from './tls.ts'

/** What was received on one stream. */
export class StreamLog {
  /** Of the last field section that is not an interim response. */
  status = 0
  readonly interim: number[] = []
  headers: (readonly [string, string])[] = []
  trailers: (readonly [string, string])[] | null = null
  readonly chunks: Buffer[] = []
  /** Bytes of content. */
  bytes = 0
  ended = false
  /** The code it was reset with. */
  reset: number | null = null
  readonly windowUpdates: number[] = []

  get body(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get over(): boolean {
    return this.ended || this.reset !== null
  }
}

export interface PeerOptions {
  /** Of the client; none by default. */
  readonly settings?: Readonly<Record<number, number>>
  /** Over TLS, with ALPN. */
  readonly secure?: boolean
  /** Written instead of the preface and SETTINGS. */
  readonly begin?: Buffer
  /** Does not keep content. */
  readonly forgets?: boolean
}

/** An HTTP/2 client controlled by a test: it sends the frames that it is given, and reads what arrives without answering anything. */
export class Http2Peer {
  readonly socket: Socket
  readonly frames: h2.Frame[] = []
  readonly streams = new Map<number, StreamLog>()
  readonly pongs: string[] = []
  readonly goaways: { readonly last: number; readonly code: number; readonly text: string }[] = []
  settings: ReadonlyMap<number, number> | null = null
  settingsAcks = 0
  /** Bytes of content over all streams. */
  bytes = 0
  connectionUpdates: number[] = []
  ending: 'end' | 'reset' | null = null
  /** Called with each frame. */
  onFrame: ((frame: h2.Frame) => void) | null = null

  private readonly parser = new h2.FrameParser()
  private readonly decoder = new FieldDecoder({ names: requestFieldNames, strict: false })
  private readonly forgets: boolean
  private section: { stream: number; ends: boolean; parts: Buffer[] } | null = null
  private readonly waiting = new Set<() => void>()

  constructor(socket: Socket, forgets = false) {
    this.socket = socket
    this.forgets = forgets
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.read(bytes))
    socket.on('end', () => this.finish('end'))
    socket.on('error', () => this.finish('reset'))
    socket.on('close', () => this.finish('reset'))
  }

  write(...frames: Buffer[]): void {
    this.socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
  }

  stream(id: number): StreamLog {
    const known = this.streams.get(id) ?? new StreamLog()
    this.streams.set(id, known)
    return known
  }

  /** Waits until `reached` returns true; it is called again whenever something arrives. */
  async until(what: string, reached: () => boolean): Promise<void> {
    if (reached()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`waited for ${what}; ${this.summary()}`)), TIMEOUT)
    const look = (): void => {
      if (reached()) return resolve()
      if (this.ending !== null) reject(new Error(`the connection ended before ${what}; ${this.summary()}`))
    }
    this.waiting.add(look)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.waiting.delete(look)
    }
  }

  /** Waits for the end of a stream, however it ends. */
  async over(id: number): Promise<StreamLog> {
    const stream = this.stream(id)
    await this.until(`the end of stream ${id}`, () => stream.over)
    return stream
  }

  /** Waits until everything sent so far has been processed. */
  async settled(content = `ping${String(this.pongs.length).padStart(4, '0')}`): Promise<void> {
    this.write(h2.ping(content))
    await this.until(`the answer to ${content}`, () => this.pongs.includes(content))
  }

  /** Waits for the end of the connection, and returns how it ended: by FIN or by a reset. */
  async closed(): Promise<'end' | 'reset'> {
    await this.until('the end', () => this.ending !== null)
    return this.ending ?? 'reset'
  }

  summary(): string {
    const streams = [...this.streams].map(([id, { status, ended, reset, bytes }]) => ({
      id,
      status,
      ended,
      reset,
      bytes,
    }))
    return JSON.stringify({ ending: this.ending, goaways: this.goaways, streams: streams.slice(-5) })
  }

  private read(bytes: Buffer): void {
    const { frames } = this.parser
    this.parser.push(bytes)
    for (const frame of frames) this.take(frame)
    frames.length = 0
    this.wake()
  }

  private finish(ending: 'end' | 'reset'): void {
    this.ending ??= ending
    this.wake()
  }

  private wake(): void {
    for (const look of this.waiting) look()
  }

  private take(frame: h2.Frame): void {
    if (!this.forgets) this.frames.push(frame)
    const { type, flags, stream, payload } = frame
    if (this.section !== null) assert.equal(type, h2.Type.continuation, 'a field section is not interrupted')
    switch (type) {
      case h2.Type.data:
        this.content(stream, payload, (flags & h2.END_STREAM) !== 0)
        break
      case h2.Type.headers:
        this.section = { stream, ends: (flags & h2.END_STREAM) !== 0, parts: [payload] }
        break
      case h2.Type.continuation:
        this.section!.parts.push(payload)
        break
      case h2.Type.reset:
        this.stream(stream).reset = payload.readUInt32BE()
        break
      case h2.Type.settings:
        this.setting(flags, payload)
        break
      case h2.Type.ping:
        if ((flags & h2.ACK) !== 0) this.pongs.push(payload.toString('latin1'))
        break
      case h2.Type.goaway:
        this.goaways.push({
          last: payload.readUInt32BE(),
          code: payload.readUInt32BE(4),
          text: payload.toString('latin1', 8),
        })
        break
      case h2.Type.window:
        if (stream === 0) this.connectionUpdates.push(payload.readUInt32BE())
        else this.windowOf(this.stream(stream), payload)
    }
    if (this.section !== null && (flags & h2.END_HEADERS) !== 0) this.fields(this.section)
    this.onFrame?.(frame)
  }

  private content(id: number, payload: Buffer, ends: boolean): void {
    const stream = this.stream(id)
    assert.ok(!stream.over, `DATA of stream ${id}, which is over`)
    this.bytes += payload.length
    stream.bytes += payload.length
    if (!this.forgets) stream.chunks.push(Buffer.from(payload))
    stream.ended ||= ends
  }

  private windowOf({ reset, windowUpdates }: StreamLog, payload: Buffer): void {
    assert.equal(reset, null, 'RST_STREAM is the last frame of a stream')
    windowUpdates.push(payload.readUInt32BE())
  }

  private setting(flags: number, payload: Buffer): void {
    if ((flags & h2.ACK) !== 0) return void this.settingsAcks++
    const values = new Map<number, number>()
    for (let at = 0; at < payload.length; at += 6) values.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
    this.settings = values
  }

  private fields({ stream: id, ends, parts }: { stream: number; ends: boolean; parts: Buffer[] }): void {
    this.section = null
    const list: (readonly [string, string])[] = []
    const bytes = Buffer.concat(parts)
    this.decoder.decode(bytes, 0, bytes.length, {
      field: ({ name, value }: Field) => void list.push([name.text, value]),
    })
    const stream = this.stream(id)
    assert.ok(!stream.over, `HEADERS of stream ${id}, which is over`)
    stream.ended = ends
    const [first] = list
    if (first?.[0] !== ':status') {
      assert.ok(ends && stream.status !== 0, 'trailers follow a reply and end the stream')
      stream.trailers = list
      return
    }
    const status = Number(first[1])
    if (status < 200) {
      assert.ok(!ends, 'an interim response does not end the stream')
      return void stream.interim.push(status)
    }
    assert.equal(stream.status, 0, 'one reply')
    stream.status = status
    stream.headers = list.slice(1)
  }
}

/** Connects until the end of the test, and sends the preface and SETTINGS. */
export async function connectHttp2(
  t: TestContext,
  port: number,
  { settings = {}, secure = false, begin, forgets = false }: PeerOptions = {},
): Promise<Http2Peer> {
  const socket = secure ? await secureSocket(t, port) : await plainSocket(t, port)
  const peer = new Http2Peer(socket, forgets)
  peer.write(begin ?? Buffer.concat([h2.PREFACE, h2.settings(settings)]))
  return peer
}

async function plainSocket(t: TestContext, port: number): Promise<Socket> {
  const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true })
  cleanUp(t, () => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function secureSocket(t: TestContext, port: number): Promise<Socket> {
  const { socket } = await connectSecurely(t, port, { ALPNProtocols: ['h2'] })
  assert.equal(socket.alpnProtocol, 'h2')
  socket.removeAllListeners('data')
  return socket
}
