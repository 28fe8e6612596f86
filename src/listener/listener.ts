import type { Socket } from 'node:net'
import { type Clock, pause } from '../core/clock.ts'
import type { Client } from '../http/exchange.ts'
import type { Reply } from '../http/reply.ts'
import type { Deadlines } from '../http/deadlines.ts'
import type { ReceivedHead } from '../http/received-head.ts'
import { RequestHead } from '../http1/request-head.ts'
import type { ServerTools } from '../http1/request-reader.ts'
import { ServerConnection } from '../http1/server-connection.ts'
import { RequestHead as Http2Head } from '../http2/request-head.ts'
import { ServerConnection as Http2Connection, type ServerTools as Http2Tools } from '../http2/server-connection.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { Running, ServedConnection, ServerHandler, SlowReason } from '../http/server-handler.ts'
import type { ClientHello } from '../tls/client-hello.ts'
import type { Identity, ServerIdentities } from '../tls/server-identities.ts'
import { ConnectionShares } from './connection-shares.ts'
import type { HandshakeFailure } from './handshake-failure.ts'
import { type HandshakeOwner, Handshakes, type Secured } from './handshakes.ts'
import { readLent, readSecured } from './lent-reads.ts'
import type { Accept } from './acceptor.ts'
import { Arrivals, type ArrivalsOwner, type RefusalReason } from '../proxy-protocol/arrivals.ts'
import type { Introduction } from '../proxy-protocol/introduction.ts'
import type { PeerCertificate } from './peer-certificate.ts'
import { PeerCertificates } from './peer-certificates.ts'
import { ShownIdentities } from './shown-identities.ts'
import type { HandshakeWatcher, ListenerOptions, Receiver } from './receiver.ts'
import { ForwardedClient, type TrustedProxies } from './trusted-proxies.ts'
import { plainAddress } from '../core/plain-address.ts'

/** How long a client of a listener that is gone may take to send the next request before it is told that there will be no reply, in milliseconds. */
const GRACE = 1000

/** What a listener is made of. */
export interface ListenerParts {
  readonly receiver: Receiver
  readonly watcher: HandshakeWatcher
  readonly proxies: TrustedProxies
  readonly options: ListenerOptions
  readonly deadlines: Deadlines
}

/** What becomes of the connections of an address, which speak TLS all or not at all; all else may change. */
export class Listener implements ServerHandler, ArrivalsOwner, HandshakeOwner {
  /** Takes a connection. */
  readonly accept: Accept
  private readonly receiver: Receiver
  private readonly watcher: HandshakeWatcher
  private readonly proxies: TrustedProxies
  private readonly options: ListenerOptions
  private readonly deadlines: Deadlines
  private readonly head: RequestHead
  private readonly tools: ServerTools
  private readonly http2: Http2Tools
  private readonly connections = new Set<ServedConnection>()
  private readonly shares: ConnectionShares
  private readonly scheme: 'http' | 'https'
  /** Null where nothing is shown. */
  private readonly shown: ShownIdentities | null
  /** Null until there are certificates to be shown, and for ever where clients speak no TLS. */
  private handshakes: Handshakes | null = null
  /** Connections that begin with a word of a proxy, and wait for it. */
  private readonly arrivals: Arrivals
  /** Connections whose client not even the proxy knows that has introduced them. */
  private readonly unknown = new WeakSet<ServedConnection>()
  /** Null where clients are not asked for certificates. */
  private certificates: PeerCertificates | null = null
  private identities: ServerIdentities | null = null
  /** When nothing was found to make room with, in milliseconds of the deadlines: looking once in that time is enough. */
  private fruitless = -1
  private retiring = false
  private draining = false
  private whenEmpty: (() => void) | null = null
  private ended: PromiseWithResolvers<number> | null = null
  /** How many connections were cut off at the end. */
  private broken = 0

  constructor({ receiver, watcher, proxies, options, deadlines }: ListenerParts) {
    this.receiver = receiver
    this.watcher = watcher
    this.proxies = proxies
    // Connections read from it what holds now.
    this.options = { ...options }
    this.deadlines = deadlines
    this.head = new RequestHead(this.options)
    this.tools = { options: this.options, deadlines, head: this.head, http2: (connection) => this.takeOver(connection) }
    this.http2 = { options: this.options, deadlines, head: new Http2Head(this.options) }
    this.shares = new ConnectionShares(options.connections)
    this.scheme = options.secure ? 'https' : 'http'
    this.shown = options.secure ? new ShownIdentities() : null
    this.arrivals = new Arrivals(this, deadlines)
    this.askForCertificates()
    this.accept = (socket) => (this.options.proxyProtocol ? this.arrivals.add(socket) : this.take(socket))
  }

  /** Whether clients speak TLS. */
  get secure(): boolean {
    return this.options.secure
  }

  /** Goes by these from now on, and so do its connections from their next request on; `secure` stays what it was. */
  configure(options: ListenerOptions): void {
    Object.assign(this.options, options, { secure: this.secure })
    this.head.reconfigure()
    for (const connection of this.connections) connection.reconfigure()
    this.shares.allow(options.connections)
    this.handshakes?.reconfigure()
    this.askForCertificates()
  }

  /** Open client connections, those among them that are not encrypted yet. */
  get size(): number {
    return this.connections.size + this.handshaking
  }

  /** Handshakes that go on. */
  get handshaking(): number {
    return this.handshakes === null ? 0 : this.handshakes.size
  }

  /**
   * Shows these certificates to clients from now on; needed before it listens where they speak TLS. Where others sign the
   * clients' now, or have revoked some, every client has to connect anew to be verified again; where TLS is spoken in another way,
   * it does so after its next request.
   */
  show(identities: ServerIdentities): void {
    const before = this.identities
    this.identities = identities
    if (before !== null && !identities.asksAs(before)) for (const connection of this.connections) connection.drain()
    if (before !== null && !identities.speaksAs(before)) for (const connection of this.connections) connection.retire()
    if (this.handshakes === null) this.handshakes = new Handshakes(this, identities, this.options, this.deadlines)
    else this.handshakes.use(identities)
  }

  /** The exchanges that are under way. */
  *running(): Iterable<Running> {
    for (const connection of this.connections) yield* connection.running
  }

  /** Requests that are not yet answered whole. */
  get inFlight(): number {
    let count = 0
    for (const { inFlight } of this.connections) count += inFlight
    return count
  }

  /** Other proxies are trusted now: who the client of a connection is may be another with its next request. */
  reconsider(): void {
    for (const connection of this.connections) if (!this.unknown.has(connection)) connection.client = null
  }

  /** Asks every client to connect anew after its next reply, those too that come later. */
  retire(): void {
    this.retiring = true
    for (const connection of this.connections) connection.retire()
  }

  /**
   * Nobody connects any more: who asks for something right now is answered and told to connect anew, which is elsewhere. The others
   * are let go after `patience` ms, and the rest is cut off after `timeout` ms. Resolves with the number of those that were cut off.
   */
  async leave(timeout: number, clock: Clock, patience = GRACE): Promise<number> {
    this.retire()
    const grace = Math.min(patience, timeout)
    await this.emptied(grace, clock)
    return this.drain(timeout - grace, clock)
  }

  /** Resolves when there is no client any more, or after `timeout` ms. */
  private async emptied(timeout: number, clock: Clock): Promise<void> {
    const late = pause(timeout, clock).then(() => true)
    // Again each time, as one whose handshake has ended is a client at once.
    while (this.size + this.arrivals.size > 0) {
      const empty = new Promise<boolean>((resolve) => {
        this.whenEmpty = () => resolve(false)
      })
      if (await Promise.race([late, empty])) return
    }
  }

  /**
   * Lets each connection end with the reply it is at; the rest is cut off after `timeout` ms, or earlier where that was said before.
   * Resolves with the number of those that were cut off.
   */
  drain(timeout: number, clock: Clock): Promise<number> {
    this.ended ??= Promise.withResolvers<number>()
    const { promise, resolve } = this.ended
    this.whenEmpty = () => resolve(this.broken)
    this.draining = true
    this.arrivals.close()
    this.handshakes?.end()
    for (const connection of this.connections) connection.drain()
    if (this.connections.size === 0) this.whenEmpty()
    const cancel = clock.after(timeout, () => {
      this.broken ||= this.connections.size
      this.cutOff()
    })
    void promise.then(cancel)
    return promise
  }

  /** Breaks off whatever is going on, so that no client takes it for whole. */
  cutOff(): void {
    this.handshakes?.end()
    for (const connection of this.connections) connection.cutOff()
  }

  handle(exchange: ServerExchange): Reply | Promise<Reply> {
    exchange.listener = this.options.name
    return this.receiver.handle(exchange, this.options.redirect)
  }

  challenge(hello: ClientHello): Identity | null {
    return this.receiver.challenge(hello)
  }

  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply {
    return this.receiver.refuse(error, peer, exchange)
  }

  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void {
    this.receiver.done(exchange, status, bytes, whole, cause)
  }

  /** Throws GatewayError 'misdirected-request' for a name whose certificate was not shown on that connection. */
  identify(connection: ServedConnection, head: ReceivedHead): Client {
    this.shown?.check(connection, head.authority)
    const client = connection.client ?? this.clientOf(connection, head)
    this.certificates?.tell(connection, client, head)
    return client
  }

  private clientOf(connection: ServedConnection, head: ReceivedHead): Client {
    const peer = plainAddress(connection.peer)
    const certificate = this.certificates === null ? null : this.certificates.of(connection)
    if (this.proxies.has(peer)) return this.proxies.clientBehind(peer, this.scheme, head.fields, certificate)
    connection.client = new ForwardedClient(peer, this.scheme, peer, null, '', certificate)
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
    const { options, shares } = this
    const most = options.perClient.connections
    const full = this.size >= options.connections
    if (!full && most === undefined) return true
    if (most !== undefined && shares.of(peer) >= most && !this.trusts(peer)) return false
    return !full || this.makeRoom(peer)
  }

  /** Ends a connection of the peer that has more than half of all for the sake of another one: one that is idle, or one that waits for it. */
  private makeRoom(peer: string): boolean {
    const greedy = this.shares.ofMost
    const { now } = this.deadlines
    if (greedy === null || greedy === peer || this.fruitless === now || this.trusts(greedy)) return false
    if (this.handshakes?.endOneOf(greedy) === true) return true
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
    this.take(accepted, introduction)
  }

  refused(reason: RefusalReason, peer: string, detail: string): void {
    this.receiver.refusedArrival(reason, plainAddress(peer), detail)
  }

  private askForCertificates(): void {
    const asked = this.options.clientCertificates
    if (asked === null) this.certificates = null
    else (this.certificates ??= new PeerCertificates(asked.listener)).use(asked.forms)
  }

  /** Of what a proxy has introduced, octets may have been read already. */
  private take(accepted: Socket, introduction: Introduction | null = null): void {
    const peer = introduction?.kind === 'client' ? introduction.address : (accepted.remoteAddress ?? '')
    if (!this.hasRoom(peer)) return void accepted.destroy()
    if (this.options.secure) return this.acceptSecure(accepted, peer, introduction)
    const early: unknown = introduction === null ? null : accepted.read()
    const connection = this.serve(new ServerConnection(accepted, peer, this, this.tools), introduction, null)
    readLent(accepted, connection)
    if (early instanceof Buffer) connection.read(early, early.length)
  }

  private acceptSecure(accepted: Socket, peer: string, introduction: Introduction | null): void {
    if (this.handshakes === null || this.draining) return void accepted.destroy()
    this.shares.add(peer)
    this.handshakes.begin(accepted, peer, introduction)
  }

  secured({ socket, peer, introduction, identity, identities }: Secured): void {
    // It began when others signed the certificates of clients, or had revoked fewer.
    if (this.identities?.asksAs(identities) === false) return void socket.destroy()
    this.watcher.secured(socket)
    const certificate = this.certificates === null ? null : this.certificates.read(socket, identities)
    const http2 = socket.alpnProtocol === 'h2'
    const connection = http2
      ? this.serve(new Http2Connection(socket, peer, this, this.http2), introduction, certificate)
      : this.serve(new ServerConnection(socket, peer, this, this.tools), introduction, certificate)
    this.shown?.remember(connection, identity, identities)
    readSecured(socket, connection)
  }

  failed(reason: HandshakeFailure, peer: string, error: Error | null): void {
    this.watcher.failed(reason, plainAddress(peer), error)
  }

  over(peer: string): void {
    this.shares.delete(peer)
    if (this.size === 0) this.whenEmpty?.()
  }

  /** A client without TLS speaks HTTP/2: another connection is made of its socket. */
  private takeOver(before: ServedConnection & { readonly socket: Socket }): Http2Connection {
    const { socket, peer, client } = before
    const connection = new Http2Connection(socket, peer, this, this.http2)
    connection.client = client
    this.connections.delete(before)
    this.connections.add(connection)
    if (this.unknown.has(before)) this.unknown.add(connection)
    if (this.retiring) connection.retire()
    if (this.draining) connection.drain()
    return connection
  }

  private serve<C extends ServedConnection>(
    connection: C,
    introduction: Introduction | null,
    certificate: PeerCertificate | null,
  ): C {
    const { peer } = connection
    this.connections.add(connection)
    this.shares.add(peer)
    // Nobody known: whatever such a client claims of itself is not the word of the proxy, which has not looked at it.
    if (introduction?.kind === 'unknown') {
      const address = plainAddress(peer)
      connection.client = new ForwardedClient(address, this.scheme, address, null, '', certificate)
      this.unknown.add(connection)
    }
    if (certificate !== null) this.certificates?.remember(connection, certificate)
    if (this.retiring) connection.retire()
    if (this.draining) connection.drain()
    return connection
  }
}
