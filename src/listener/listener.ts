import { createServer, type Server, type Socket } from 'node:net'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Client } from '../http/exchange.ts'
import type { Reply } from '../http/reply.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { ReceivedHead } from '../http/received-head.ts'
import { RequestHead } from '../http1/request-head.ts'
import { ServerConnection } from '../http1/server-connection.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { ServedConnection, ServerHandler, ServerOptions, SlowReason } from '../http/server-handler.ts'
import { ConnectionShares } from './connection-shares.ts'
import { readLent } from './accepted-socket.ts'
import { inUse } from './claim.ts'
import { Arrivals, type ArrivalsOwner, type RefusalReason } from './proxy-protocol/arrivals.ts'
import type { Introduction } from './proxy-protocol/introduction.ts'
import { ForwardedClient, plainAddress, type TrustedProxies } from './trusted-proxies.ts'

/** What becomes of the requests of a listener. */
export interface Receiver {
  /** Answers. What it throws or rejects with goes to `refuse`. */
  handle(exchange: ServerExchange): Reply | Promise<Reply>
  /** The reply to a request that could not be read; `exchange` is null where not even its head could be. */
  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply
  /** An exchange was ended as its client was too slow. */
  slow(reason: SlowReason): void
  /** A connection was closed as it did not begin with a header of the PROXY protocol that may be believed. */
  refusedArrival(reason: RefusalReason, peer: string, detail: string): void
  /** The exchange is over: the status and octets of content that were sent, and whether the reply was sent whole. */
  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void
}

export interface ListenerOptions extends ServerOptions {
  /** Client connections at the same time; further ones are closed as they come, or take the place of one of a client that has most. */
  readonly connections: number
  readonly perClient: {
    /** Connections of one peer at the same time; undefined: as many as there may be. */
    readonly connections?: number | undefined
  }
  /** Every connection begins with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean
}

/** Connections that may wait to be accepted; the system may have a lower bound (net.core.somaxconn). */
const BACKLOG = 4096

/** A listening socket outside of any server, as Node hands it over from another process. */
export interface ListeningHandle {
  /** Its descriptor, for as long as it is open. */
  readonly fd: number
  close(): void
}

/** An address on which the gateway accepts connections. */
export class Listener implements ServerHandler, ArrivalsOwner {
  private readonly server: Server
  private readonly receiver: Receiver
  private readonly proxies: TrustedProxies
  private readonly options: ListenerOptions
  private readonly deadlines: Deadlines
  private readonly head: RequestHead
  private readonly connections = new Set<ServedConnection>()
  private readonly shares: ConnectionShares
  /** Null where connections begin with what the client sends. */
  private readonly arrivals: Arrivals | null
  /** Connections whose client not even the proxy knows that has introduced them. */
  private readonly unknown = new WeakSet<ServedConnection>()
  /** When nothing was found to make room with, in milliseconds of the deadlines: looking once in that time is enough. */
  private fruitless = -1
  private retiring = false
  private draining = false
  private whenEmpty: (() => void) | null = null

  constructor(receiver: Receiver, proxies: TrustedProxies, options: ListenerOptions, deadlines: Deadlines) {
    this.receiver = receiver
    this.proxies = proxies
    this.options = options
    this.deadlines = deadlines
    this.head = new RequestHead(options)
    this.shares = new ConnectionShares(options.connections)
    this.server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    const arrivals = options.proxyProtocol ? new Arrivals(this, deadlines) : null
    this.arrivals = arrivals
    this.server.on('connection', (socket) => (arrivals === null ? this.accept(socket) : arrivals.add(socket)))
  }

  /** Open client connections. */
  get size(): number {
    return this.connections.size
  }

  /** Requests that are not yet answered whole. */
  get inFlight(): number {
    let count = 0
    for (const { inFlight } of this.connections) count += inFlight
    return count
  }

  /**
   * Begins to accept connections; `shared` lets several threads listen on one port. Rejects with AddressInUseError, or with
   * what the system said.
   */
  listen({ host, port }: Address, shared: boolean): Promise<Address> {
    return this.begin({ host, port }, (done) =>
      this.server.listen({ host, port, reusePort: shared, backlog: BACKLOG }, done),
    )
  }

  /** Accepts from now on what comes to that socket, which becomes the listener's own. */
  adopt(socket: ListeningHandle, address: Address): Promise<Address> {
    return this.begin(address, (done) => this.server.listen(socket, BACKLOG, done))
  }

  /** The descriptor of its socket, or null where the system has none. */
  get descriptor(): number | null {
    const handle: unknown = Reflect.get(this.server, '_handle')
    if (typeof handle !== 'object' || handle === null) return null
    const descriptor: unknown = Reflect.get(handle, 'fd')
    return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : null
  }

  private begin({ host, port }: Address, listen: (done: () => void) => void): Promise<Address> {
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => reject(inUse({ host, port }, error))
      this.server.once('error', refused)
      listen(() => {
        this.server.off('error', refused)
        // accept(2) passes on what went wrong with a connection before it was accepted: nobody is there to be told.
        this.server.on('error', () => {})
        const bound = this.server.address()
        resolve({ host, port: bound === null || typeof bound === 'string' ? port : bound.port })
      })
    })
  }

  /** Other proxies are trusted now: who the client of a connection is may be another with its next request. */
  reconsider(): void {
    for (const connection of this.connections) if (!this.unknown.has(connection)) connection.client = null
  }

  /** Goes on accepting, and asks every client to connect anew after its next reply. */
  retire(): void {
    this.retiring = true
    for (const connection of this.connections) connection.retire()
  }

  /**
   * Stops accepting and lets each connection end with the reply it is at; the rest is cut off after `timeout` ms.
   * Resolves with the number of those that were cut off.
   */
  async drain(timeout: number, clock: Clock): Promise<number> {
    this.draining = true
    this.server.close()
    this.arrivals?.close()
    for (const connection of this.connections) connection.drain()
    if (this.connections.size === 0) return 0
    let cutOff = 0
    await new Promise<void>((resolve) => {
      const cancel = clock.after(timeout, () => {
        cutOff = this.connections.size
        this.cutOff()
      })
      this.whenEmpty = () => {
        cancel()
        resolve()
      }
    })
    return cutOff
  }

  /** Breaks off whatever is going on, so that no client takes it for whole. */
  cutOff(): void {
    for (const connection of this.connections) connection.cutOff()
  }

  handle(exchange: ServerExchange): Reply | Promise<Reply> {
    return this.receiver.handle(exchange)
  }

  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply {
    return this.receiver.refuse(error, peer, exchange)
  }

  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void {
    this.receiver.done(exchange, status, bytes, whole, cause)
  }

  identify(connection: ServedConnection, head: ReceivedHead): Client {
    if (connection.client !== null) return connection.client
    const peer = plainAddress(connection.peer)
    if (this.proxies.has(peer)) return this.proxies.clientBehind(peer, 'http', head.fields)
    connection.client = new ForwardedClient(peer, 'http', peer, null)
    return connection.client
  }

  slow(reason: SlowReason): void {
    this.receiver.slow(reason)
  }

  closed(connection: ServedConnection): void {
    this.connections.delete(connection)
    this.shares.delete(connection.peer)
    if (this.connections.size === 0) this.whenEmpty?.()
  }

  private hasRoom(peer: string): boolean {
    const { options, connections, shares } = this
    const most = options.perClient.connections
    const full = connections.size >= options.connections
    if (!full && most === undefined) return true
    if (most !== undefined && shares.of(peer) >= most && !this.trusts(peer)) return false
    return !full || this.makeRoom(peer)
  }

  /** Ends a connection of the peer that has more than half of all for the sake of another one: one that is idle, or one that waits for it. */
  private makeRoom(peer: string): boolean {
    const greedy = this.shares.ofMost
    const { now } = this.deadlines
    if (greedy === null || greedy === peer || this.fruitless === now || this.trusts(greedy)) return false
    let found: ServedConnection | null = null
    for (const connection of this.connections) {
      if (connection.peer !== greedy || !connection.waitsForClient) continue
      found ??= connection
      if (!connection.idle) continue
      found = connection
      break
    }
    if (found === null) this.fruitless = now
    found?.makeWay()
    return found !== null
  }

  trusts(peer: string): boolean {
    return this.proxies.has(plainAddress(peer))
  }

  introduced(accepted: Socket, introduction: Introduction): void {
    this.accept(accepted, introduction)
  }

  refused(reason: RefusalReason, peer: string, detail: string): void {
    this.receiver.refusedArrival(reason, plainAddress(peer), detail)
  }

  /** Of what a proxy has introduced, octets may have been read already. */
  private accept(accepted: Socket, introduction: Introduction | null = null): void {
    const peer = introduction?.kind === 'client' ? introduction.address : (accepted.remoteAddress ?? '')
    if (!this.hasRoom(peer)) return void accepted.destroy()
    let connection: ServerConnection | null = null
    const early: unknown = introduction === null ? null : accepted.read()
    const socket = readLent(accepted, () => connection)
    connection = new ServerConnection(socket, this, this.options, this.deadlines, this.head)
    connection.peer = peer
    this.connections.add(connection)
    this.shares.add(connection.peer)
    // Nobody known: whatever such a client claims of itself is not the word of the proxy, which has not looked at it.
    if (introduction?.kind === 'unknown') {
      connection.client = new ForwardedClient(plainAddress(peer), 'http', plainAddress(peer), null)
      this.unknown.add(connection)
    }
    if (this.retiring) connection.retire()
    if (this.draining) connection.drain()
    if (early instanceof Buffer) connection.read(early, early.length)
  }
}
