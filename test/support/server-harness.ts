import type { Client } from '../../src/http/exchange.ts'
import { problemReply } from '../../src/http/problem.ts'
import type { Reply } from '../../src/http/reply.ts'
import { Deadlines } from '../../src/http/deadlines.ts'
import { defaultHeadLimits } from '../../src/http/limits.ts'
import { RequestHead } from '../../src/http1/request-head.ts'
import { ServerConnection } from '../../src/http1/server-connection.ts'
import type { ServerHandler, ServerOptions } from '../../src/http/server-handler.ts'
import type { ServerExchange } from '../../src/http/server-exchange.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { readInto, RecordingSocket } from './recording-socket.ts'

export const serverOptions: ServerOptions = {
  ...defaultHeadLimits,
  body: 100_000,
  headTimeout: 10_000,
  bodyTimeout: 30_000,
  idleTimeout: 60_000,
  writeTimeout: 50_000,
  minRate: 0,
}

const client: Client = {
  address: '192.0.2.1',
  scheme: 'http',
  host: null,
  claims: '',
  proxied: false,
  certificate: null,
  hops: [],
  peerCertificate: null,
  forwardingFields: () => '',
}

/** The handler behind server connections in tests: answers as the test says, and records what it is passed. */
export class ServerHarness implements ServerHandler {
  readonly clock = new ManualClock()
  readonly deadlines = new Deadlines(this.clock)
  readonly exchanges: ServerExchange[] = []
  readonly over: { exchange: ServerExchange; status: number; bytes: number; whole: boolean }[] = []
  readonly refused: { error: unknown; exchange: ServerExchange | null }[] = []
  closedConnections = 0
  private readonly answer: (exchange: ServerExchange) => Reply | Promise<Reply>
  readonly options: ServerOptions
  readonly head: RequestHead

  constructor(answer: (exchange: ServerExchange) => Reply | Promise<Reply>, options: Partial<ServerOptions> = {}) {
    this.answer = answer
    this.options = { ...serverOptions, ...options }
    this.head = new RequestHead(this.options)
  }

  /** A connection on a socket without a network. */
  open(): { connection: ServerConnection; socket: RecordingSocket } {
    const socket = new RecordingSocket()
    return { connection: this.connect(socket), socket }
  }

  private connect(socket: RecordingSocket): ServerConnection {
    const connection = new ServerConnection(socket, socket.remoteAddress ?? '', this, this)
    readInto(socket, connection)
    return connection
  }

  handle(exchange: ServerExchange): Reply | Promise<Reply> {
    if (exchange.refusal !== null) throw exchange.refusal
    this.exchanges.push(exchange)
    return this.answer(exchange)
  }

  refuse(error: unknown, _peer: string, exchange: ServerExchange | null): Reply {
    this.refused.push({ error, exchange })
    return problemReply(error, 'c-1')
  }

  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean): void {
    this.over.push({ exchange, status, bytes, whole })
  }

  identify(): Client {
    return client
  }

  readonly slowClients: string[] = []

  slow(reason: string): void {
    this.slowClients.push(reason)
  }

  closed(): void {
    this.closedConnections++
  }
}
