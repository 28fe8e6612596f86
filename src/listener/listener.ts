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
import { ServerConnection as Http2Connection } from '../http2/server-connection.ts'
import type { ServerTools as Http2Tools } from '../http2/server-streams.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { Running, ServedConnection, ServerHandler, SlowReason } from '../http/server-handler.ts'
import type { ClientHello } from '../tls/client-hello.ts'
import type { Identity, ServerIdentities } from '../tls/server-identities.ts'
import { Admission } from './admission.ts'
import type { Counted } from './connection-shares.ts'
import type { HandshakeFailure } from './handshake-failure.ts'
import { type HandshakeOwner, Handshakes, type Secured } from './handshakes.ts'
import { readLent, readSecured } from '../http/lent-reads.ts'
import type { Accept } from './acceptor.ts'
import { Arrivals, type ArrivalsOwner, type RefusalReason } from '../proxy-protocol/arrivals.ts'
import type { Introduction } from '../proxy-protocol/introduction.ts'
import type { PeerCertificate } from './peer-certificate.ts'
import { PeerCertificates } from './peer-certificates.ts'
import { ShownIdentities } from './shown-identities.ts'
import type { HandshakeWatcher, ListenerOptions, Receiver } from './receiver.ts'
import { ForwardedClient, type TrustedProxies } from './trusted-proxies.ts'
import { plainAddress } from '../core/plain-address.ts'
import { DenseSet } from '../core/dense-set.ts'

/**
 * Grace period, in milliseconds, for a client of a removed listener to send its next request before its connection is
 * closed.
 */
const GRACE = 1000

/** The parts of a listener. */
export interface ListenerParts {
  readonly receiver: Receiver
  readonly watcher: HandshakeWatcher
  readonly proxies: TrustedProxies
  readonly options: ListenerOptions
  readonly deadlines: Deadlines
}

/** Handles the connections of an address. Either all of them use TLS or none; all other options may change. */
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
  private readonly connections = new DenseSet<'servedIndex', ServedConnection>('servedIndex')
  /** Number of connections so far. */
  private served = 0
  private readonly admission: Admission
  private readonly scheme: 'http' | 'https'
  /** Null without TLS. */
  private readonly shown: ShownIdentities | null
  /** Null until there are certificates to present; always null without TLS. */
  private handshakes: Handshakes | null = null
  /** Connections that wait for the PROXY protocol header they have to begin with. */
  private readonly arrivals: Arrivals
  /** Connections whose client is unknown even to the proxy that introduced them. */
  private readonly unknown = new WeakSet<ServedConnection>()
  /** Null where clients are not asked for certificates. */
  private certificates: PeerCertificates | null = null
  private identities: ServerIdentities | null = null
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
    // A copy, as connections read their current options from it.
    this.options = { ...options }
    this.deadlines = deadlines
    this.head = new RequestHead(this.options)
    this.tools = { options: this.options, deadlines, head: this.head, http2: (connection) => this.takeOver(connection) }
    this.http2 = { options: this.options, deadlines, head: new Http2Head(this.options) }
    this.admission = new Admission({
      options: this.options,
      proxies,
      deadlines,
      connections: this.connections,
      handshakes: () => this.handshakes,
    })
    this.scheme = options.secure ? 'https' : 'http'
    this.shown = options.secure ? new ShownIdentities() : null
    this.arrivals = new Arrivals(this, deadlines)
    this.askForCertificates()
    this.accept = (socket) => (this.options.proxyProtocol ? this.arrivals.add(socket) : this.take(socket))
  }

  /** Whether clients use TLS. */
  get secure(): boolean {
    return this.options.secure
  }

  /** Applies new options, also to its connections from their next request on; `secure` keeps its value. */
  configure(options: ListenerOptions): void {
    Object.assign(this.options, options, { secure: this.secure })
    this.head.reconfigure()
    for (const connection of this.connections) connection.reconfigure()
    this.admission.reconfigure()
    this.handshakes?.reconfigure()
    this.askForCertificates()
  }

  /** Number of open client connections, including those in a handshake. */
  get size(): number {
    return this.connections.size + this.handshaking
  }

  /** Number of handshakes in progress. */
  get handshaking(): number {
    return this.handshakes === null ? 0 : this.handshakes.size
  }

  /**
   * Presents these certificates from now on; required before listening with TLS. Where other authorities sign the
   * clients' certificates now, or some were revoked, every client has to reconnect to be verified again; where other
   * TLS settings have changed, it has to do so after its next request.
   */
  show(identities: ServerIdentities): void {
    const before = this.identities
    this.identities = identities
    if (before !== null && !identities.asksAs(before)) for (const connection of this.connections) connection.drain()
    if (before !== null && !identities.speaksAs(before)) for (const connection of this.connections) connection.retire()
    if (this.handshakes === null) this.handshakes = new Handshakes(this, identities, this.options, this.deadlines)
    else this.handshakes.use(identities)
  }

  /** The exchanges in progress, those of the oldest connection first. */
  *running(): Iterable<Running> {
    const oldestFirst = [...this.connections].toSorted((one, another) => one.order - another.order)
    for (const connection of oldestFirst) yield* connection.running
  }

  /** Number of requests that have not been answered completely. */
  get inFlight(): number {
    let count = 0
    for (const { inFlight } of this.connections) count += inFlight
    return count
  }

  /** The trusted proxies have changed: the client of a connection is determined again with its next request. */
  reconsider(): void {
    for (const connection of this.connections) if (!this.unknown.has(connection)) connection.client = null
  }

  /** Makes every client reconnect after its next reply, including those that connect later. */
  retire(): void {
    this.retiring = true
    for (const connection of this.connections) connection.retire()
  }

  /**
   * Shuts down a listener that gets no new connections: requests that are sent now are still answered, and their
   * clients have to reconnect, elsewhere. Idle clients are disconnected after `gracePeriod` ms, and the rest is cut off
   * after `timeout` ms. Resolves with the number of connections that were cut off.
   */
  async leave(timeout: number, clock: Clock, gracePeriod = GRACE): Promise<number> {
    this.retire()
    const grace = Math.min(gracePeriod, timeout)
    await this.emptied(grace, clock)
    return this.drain(timeout - grace, clock)
  }

  /** Resolves when no client is left, or after `timeout` ms. */
  private async emptied(timeout: number, clock: Clock): Promise<void> {
    const late = pause(timeout, clock).then(() => true)
    // In a loop, as a connection whose handshake has ended becomes a client at once.
    while (this.size + this.arrivals.size > 0) {
      const empty = new Promise<boolean>((resolve) => {
        this.whenEmpty = () => resolve(false)
      })
      if (await Promise.race([late, empty])) return
    }
  }

  /**
   * Lets each connection end after its current reply; the rest is cut off after `timeout` ms, or earlier if a previous
   * call said so. Resolves with the number of connections that were cut off.
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

  /** Cuts off everything in progress, in such a way that no client takes it for complete. */
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

  /** Throws GatewayError 'misdirected-request' for a name whose certificate was not presented on that connection. */
  identify(connection: ServedConnection, head: ReceivedHead): Client {
    this.shown?.check(connection, head.authority)
    const client = connection.client ?? this.clientOf(connection, head)
    this.certificates?.addFields(connection, client, head)
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
    this.admission.delete(connection.countedFor)
    if (this.connections.size === 0) this.whenEmpty?.()
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
    const clientCertificates = this.options.clientCertificates
    if (clientCertificates === null) this.certificates = null
    else (this.certificates ??= new PeerCertificates(clientCertificates.listener)).use(clientCertificates.forms)
  }

  /** For a connection introduced by a proxy, bytes may have been read already. */
  private take(accepted: Socket, introduction: Introduction | null = null): void {
    const peer = introduction?.kind === 'client' ? introduction.address : (accepted.remoteAddress ?? '')
    if (!this.admission.admits(peer)) return void accepted.destroy()
    if (this.options.secure) return this.acceptSecure(accepted, peer, introduction)
    const early: unknown = introduction === null ? null : accepted.read()
    const connection = this.serve(new ServerConnection(accepted, peer, this, this.tools), introduction, null)
    readLent(accepted, connection)
    if (early instanceof Buffer) connection.read(early, early.length)
  }

  private acceptSecure(accepted: Socket, peer: string, introduction: Introduction | null): void {
    if (this.handshakes === null || this.draining) return void accepted.destroy()
    this.handshakes.begin(accepted, { peer, countedFor: this.admission.add(peer) }, introduction)
  }

  secured({ socket, peer, introduction, identity, identities }: Secured): void {
    // The handshake began under other authorities for client certificates, or with fewer revocations.
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

  over({ countedFor }: Counted): void {
    this.admission.delete(countedFor)
    if (this.size === 0) this.whenEmpty?.()
  }

  /** A client without TLS starts with HTTP/2: replaces its connection by an HTTP/2 one on the same socket. */
  private takeOver(before: ServedConnection & { readonly socket: Socket }): Http2Connection {
    const { socket, peer, client } = before
    const connection = new Http2Connection(socket, peer, this, this.http2)
    connection.client = client
    connection.order = before.order
    connection.countedFor = before.countedFor
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
    connection.order = this.served++
    connection.countedFor = this.admission.add(peer)
    this.connections.add(connection)
    // The client is unknown: what it claims about itself is not vouched for by the proxy, which has not looked at it.
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
