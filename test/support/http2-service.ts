import { once } from 'node:events'
import {
  createSecureServer,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { requestFieldNames } from '../../src/http/field-names.ts'
import { FieldDecoder } from '../../src/http2/hpack/decoder.ts'
import type { Field } from '../../src/http2/hpack/field.ts'
import { cleanUp } from './cleanup.ts'
import * as h2 from './http2-frames.ts'
import { TIMEOUT } from './timeout.ts'
import { leaf } from './tls-service.ts'

/** A service on node:http2. */
export interface Http2Service {
  readonly port: number
  readonly url: string
  /** "127.0.0.1:port", or "localhost:port" with TLS. */
  readonly address: string
  /** Connections so far. */
  readonly sessions: readonly ServerHttp2Session[]
  /** Headers of the requests so far, except health checks. */
  readonly received: readonly IncomingHttpHeaders[]
}

export interface Http2ServiceOptions extends ServerOptions {
  /** Over TLS, with a certificate of `authority` of tls-service.ts. Default false. */
  readonly secure?: boolean
  readonly port?: number
}

/** Runs until the end of the test; answers GET /health with 200. */
export async function startHttp2Service(
  t: TestContext,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  { secure = false, port: fixed = 0, ...options }: Http2ServiceOptions = {},
): Promise<Http2Service> {
  const sessions: ServerHttp2Session[] = []
  const received: IncomingHttpHeaders[] = []
  const server = secure ? createSecureServer({ ...leaf, ...options }) : createHttp2Server(options)
  server.on('session', (session: ServerHttp2Session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    if (headers[':path'] === '/health') {
      stream.respond({ ':status': 200 }, { endStream: true })
      return
    }
    received.push(headers)
    answer(stream, headers)
  })
  server.listen(fixed, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const address = `${secure ? 'localhost' : '127.0.0.1'}:${port}`
  return { port, url: `${secure ? 'https' : 'http'}://${address}`, address, sessions, received }
}

/** A received request. */
export class HeardRequest {
  fields: readonly (readonly [string, string])[] = []
  trailers: readonly (readonly [string, string])[] | null = null
  body = ''
  ended = false
  /** The code that it was reset with. */
  reset: number | null = null
  /** The total of window updates for the reply, in bytes. */
  granted = 0

  get(name: string): string | undefined {
    return this.fields.find(([each]) => each === name)?.[1]
  }

  get path(): string {
    return this.get(':path') ?? ''
  }
}

/** One connection of the gateway, controlled by a test: it sends the frames that it is given, and answers nothing by itself. */
export class ServicePeer {
  readonly socket: Socket
  /** Requests by stream. */
  readonly requests = new Map<number, HeardRequest>()
  settings: ReadonlyMap<number, number> | null = null
  acknowledged = 0
  readonly pings: string[] = []
  readonly pongs: string[] = []
  readonly goaways: { readonly last: number; readonly code: number; readonly text: string }[] = []
  /** The total of window updates for the connection, in bytes. */
  granted = 0
  ending: 'end' | 'reset' | null = null
  private preface = h2.PREFACE.length
  private readonly parser = new h2.FrameParser()
  private readonly decoder = new FieldDecoder({ names: requestFieldNames, strict: false })
  private section: { readonly stream: number; readonly ends: boolean; readonly parts: Buffer[] } | null = null
  private readonly waiting = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.read(bytes))
    socket.on('end', () => this.finish('end'))
    socket.on('error', () => this.finish('reset'))
    socket.on('close', () => this.finish('reset'))
  }

  write(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  /** Sends the server's first SETTINGS. */
  greet(settings: Readonly<Record<number, number>> = {}): void {
    this.write(h2.settings(settings), h2.SETTINGS_ACK)
  }

  /** The stream of a request for that path, once its head has arrived, not counting the first `skip` ones. */
  async request(path: string, skip = 0): Promise<number> {
    const found = (): number | undefined => [...this.requests].filter(([, each]) => each.path === path)[skip]?.[0]
    await this.until(`a request for ${path}`, () => found() !== undefined)
    return found() ?? 0
  }

  of(stream: number): HeardRequest {
    const known = this.requests.get(stream) ?? new HeardRequest()
    this.requests.set(stream, known)
    return known
  }

  /** Waits until the whole request has arrived. */
  async whole(stream: number): Promise<HeardRequest> {
    await this.until(`the end of stream ${stream}`, () => this.of(stream).ended)
    return this.of(stream)
  }

  /** Waits until it was reset, and returns the code. */
  async reset(stream: number): Promise<number> {
    await this.until(`a reset of stream ${stream}`, () => this.of(stream).reset !== null)
    return this.of(stream).reset ?? 0
  }

  async closed(): Promise<'end' | 'reset'> {
    await this.until('the end', () => this.ending !== null)
    return this.ending ?? 'reset'
  }

  /** Waits until `reached` returns true; it is called again whenever something arrives. */
  async until(what: string, reached: () => boolean): Promise<void> {
    if (reached()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`waited for ${what}`)), TIMEOUT)
    const look = (): void => {
      if (reached()) return resolve()
      if (this.ending !== null) reject(new Error(`the connection ended before ${what}`))
    }
    this.waiting.add(look)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.waiting.delete(look)
    }
  }

  private read(bytes: Buffer): void {
    const skipped = Math.min(this.preface, bytes.length)
    this.preface -= skipped
    this.parser.push(bytes.subarray(skipped))
    for (const frame of this.parser.frames) this.take(frame)
    this.parser.frames.length = 0
    this.wake()
  }

  private finish(ending: 'end' | 'reset'): void {
    this.ending ??= ending
    this.wake()
  }

  private wake(): void {
    for (const look of this.waiting) look()
  }

  private take({ type, flags, stream, payload }: h2.Frame): void {
    const isAck = (flags & h2.ACK) !== 0
    const ends = (flags & h2.END_STREAM) !== 0
    if (type === h2.Type.data) this.content(this.of(stream), payload, ends)
    else if (type === h2.Type.headers) this.section = { stream, ends, parts: [payload] }
    else if (type === h2.Type.continuation) this.section?.parts.push(payload)
    else if (type === h2.Type.reset) this.of(stream).reset = payload.readUInt32BE()
    else if (type === h2.Type.settings && isAck) this.acknowledged++
    else if (type === h2.Type.settings) this.settings = settingsIn(payload)
    else if (type === h2.Type.ping) (isAck ? this.pongs : this.pings).push(payload.toString('latin1'))
    else if (type === h2.Type.window && stream === 0) this.granted += payload.readUInt32BE()
    else if (type === h2.Type.window) this.of(stream).granted += payload.readUInt32BE()
    else if (type === h2.Type.goaway)
      this.goaways.push({
        last: payload.readUInt32BE(),
        code: payload.readUInt32BE(4),
        text: payload.toString('latin1', 8),
      })
    if (this.section !== null && (flags & h2.END_HEADERS) !== 0) this.fields(this.section)
  }

  private content(request: HeardRequest, payload: Buffer, ends: boolean): void {
    request.body += payload.toString('latin1')
    request.ended ||= ends
  }

  private fields({ stream, ends, parts }: { stream: number; ends: boolean; parts: Buffer[] }): void {
    this.section = null
    const list: (readonly [string, string])[] = []
    const bytes = Buffer.concat(parts)
    const sink = { field: ({ name, value }: Field) => void list.push([name.text, value]) }
    this.decoder.decode(bytes, 0, bytes.length, sink)
    const request = this.of(stream)
    if (request.fields.length === 0) request.fields = list
    else request.trailers = list
    request.ended ||= ends
  }
}

function settingsIn(payload: Buffer): ReadonlyMap<number, number> {
  const values = new Map<number, number>()
  for (let at = 0; at < payload.length; at += 6) values.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
  return values
}

/** A service whose connections are controlled by a test. */
export interface PeeredService {
  readonly port: number
  readonly url: string
  readonly address: string
  /** Connections so far. */
  readonly peers: readonly ServicePeer[]
  /** The connection with that number, from 0, once it exists. */
  peer(number: number): Promise<ServicePeer>
}

/** Listens until the end of the test. `serve` receives each connection; by default the server's SETTINGS are sent. */
export async function startPeeredService(
  t: TestContext,
  serve: (peer: ServicePeer, number: number) => void = (peer) => peer.greet(),
): Promise<PeeredService> {
  const peers: ServicePeer[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new ServicePeer(socket)
    peers.push(peer)
    serve(peer, peers.length - 1)
    server.emit('peer')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    for (const { socket } of peers) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const address = `127.0.0.1:${port}`
  const peer = async (number: number): Promise<ServicePeer> => {
    for (let found = peers[number]; ; found = peers[number]) {
      if (found !== undefined) return found
      await once(server, 'peer', { signal: AbortSignal.timeout(TIMEOUT) })
    }
  }
  return { port, url: `http://${address}`, address, peers, peer }
}

/** A reply head in one HEADERS frame. */
export function replyHead(stream: number, status: number, fields: h2.Fields = [], end = false): Buffer {
  return h2.headers(stream, [[':status', String(status)], ...fields], end)
}

/** A complete reply. */
export function wholeReply(stream: number, content: string, status = 200): Buffer {
  return Buffer.concat([replyHead(stream, status), h2.data(stream, content, true)])
}
