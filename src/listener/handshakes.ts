import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { carrierOf } from '../core/node-internals.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { LingeringClose } from '../http/lingering-close.ts'
import { PLAIN_ON_TLS } from '../http1/plain-on-tls.ts'
import { type ClientHello, ClientHelloCollector, looksLikeTls } from '../tls/client-hello.ts'
import type { Identity, ServerIdentities } from '../tls/server-identities.ts'
import type { Introduction } from '../proxy-protocol/introduction.ts'
import { type HandshakeFailure, reasonOf } from './handshake-failure.ts'
import { ConnectionShares } from './connection-shares.ts'

/** A connection that is encrypted now. */
export interface Secured {
  readonly socket: TLSSocket
  readonly peer: string
  /** What a proxy has said of the client, or null. */
  readonly introduction: Introduction | null
  readonly hello: ClientHello
  /** What the gateway has shown of itself. */
  readonly identity: Identity
  /** What it was chosen from. */
  readonly identities: ServerIdentities
}

/** Whose handshakes they are. */
export interface HandshakeOwner {
  secured(secured: Secured): void
  /** What is shown to a CA that looks whether it is answered; null to anybody else. */
  challenge(hello: ClientHello): Identity | null
  /** One has failed, whose connection is going to end; `error` is what OpenSSL or the system said, or null. */
  failed(reason: HandshakeFailure, peer: string, error: Error | null): void
  /** One is over: its connection is closed, or on the point of being `secured`. */
  over(peer: string): void
}

export interface HandshakeOptions {
  /** From the beginning of the connection to the end of the handshake, in milliseconds. */
  readonly handshakeTimeout: number
  /** Handshakes at a time. */
  readonly handshakes: number
  /** How long a client may take nothing of what it is told, in milliseconds. */
  readonly writeTimeout: number
}

/** One connection up to the end of its handshake. */
interface Handshake extends Timed {
  readonly raw: Socket
  readonly peer: string
  readonly introduction: Introduction | null
  /** What has come of the hello, until it is whole. */
  collector: ClientHelloCollector | null
  hello: ClientHello | null
  identity: Identity | null
  /** Those of the time when it began. */
  readonly identities: ServerIdentities
  /** It was told of already. */
  failed: boolean
}

/**
 * The connections of a TLS listener that are not encrypted yet. The hello is read here first, so that it decides the
 * certificate, also where a session is resumed, and whoever says nothing costs next to nothing. Where there are as many
 * as may be, the oldest one makes way, first of a peer that has more than half of them: an honest one takes no longer
 * than a moment.
 */
export class Handshakes {
  private readonly owner: HandshakeOwner
  private readonly options: HandshakeOptions
  private readonly deadlines: Deadlines
  private readonly running = new Map<Socket, Handshake>()
  private readonly shares: ConnectionShares
  private readonly watched = new WeakSet<Identity>()
  private identities: ServerIdentities

  constructor(owner: HandshakeOwner, identities: ServerIdentities, options: HandshakeOptions, deadlines: Deadlines) {
    this.owner = owner
    this.identities = identities
    this.options = options
    this.deadlines = deadlines
    this.shares = new ConnectionShares(options.handshakes)
  }

  /** How many there are. */
  get size(): number {
    return this.running.size
  }

  /** The options say something else from now on. */
  reconfigure(): void {
    this.shares.allow(this.options.handshakes)
  }

  /** Shows these from now on; handshakes that have begun go on with the others. */
  use(identities: ServerIdentities): void {
    this.identities = identities
  }

  /** Takes a connection of that peer, of which nothing has been read but what a proxy has said. */
  begin(raw: Socket, peer: string, introduction: Introduction | null): void {
    if (this.running.size >= this.options.handshakes) this.makeRoom()
    const handshake: Handshake = {
      raw,
      peer,
      introduction,
      collector: null,
      hello: null,
      identity: null,
      identities: this.identities,
      failed: false,
      deadline: this.deadlines.in(this.options.handshakeTimeout),
      onDeadline: () => this.giveUp(handshake, 'timeout'),
    }
    this.running.set(raw, handshake)
    this.shares.add(peer)
    this.deadlines.watch(handshake)
    raw.on('error', (error) => this.giveUp(handshake, 'closed', error))
    // Why it was closed, where that was for the certificate of the client, is told right after it.
    raw.on('close', () => setImmediate(() => this.giveUp(handshake, 'closed')))
    raw.once('end', () => {
      if (!handshake.failed) this.giveUp(handshake, 'closed')
    })
    raw.on('data', (octets: Buffer) => this.read(handshake, octets))
    raw.resume()
  }

  /** Ends all of them. */
  end(): void {
    for (const handshake of this.running.values()) this.giveUp(handshake, 'closed')
  }

  private read(handshake: Handshake, octets: Buffer): void {
    if (handshake.failed) return
    if (handshake.collector === null && !looksLikeTls(octets[0] ?? 0)) return this.answerPlain(handshake, octets)
    const collector = (handshake.collector ??= new ClientHelloCollector())
    const hello = collector.take(octets)
    if (hello !== null) this.secure(handshake, hello, collector.octets)
  }

  private secure(handshake: Handshake, hello: ClientHello, octets: Buffer): void {
    const { raw, identities } = handshake
    const named = hello.serverName === null ? null : identities.find(hello.serverName)
    const identity = this.owner.challenge(hello) ?? named ?? identities.default
    if (identity === null) return this.giveUp(handshake, 'no-certificate')
    handshake.hello = hello
    handshake.identity = identity
    handshake.collector = null
    this.watch(identity)
    raw.removeAllListeners('data')
    raw.pause()
    raw.unshift(octets)
    // A client that leaves in the middle is gone: there is nobody who could answer it yet.
    raw.allowHalfOpen = false
    try {
      identity.server.emit('connection', raw)
    } catch (error) {
      this.giveUp(handshake, 'other', error instanceof Error ? error : null)
    }
  }

  private watch(identity: Identity): void {
    if (this.watched.has(identity)) return
    this.watched.add(identity)
    identity.server.on('secureConnection', (socket) => this.secured(socket))
    identity.server.on('tlsClientError', (error, socket) => {
      const handshake = this.handshakeOf(socket)
      if (handshake === undefined) return
      const refused = refusalOf(socket)
      // It closes by itself once the client was told by an alert.
      if (refused === null) this.fail(handshake, reasonOf(error), error)
      else this.giveUp(handshake, 'client-certificate', refused)
    })
  }

  private handshakeOf(socket: TLSSocket): Handshake | undefined {
    const raw = carrierOf(socket)
    return raw === null ? undefined : this.running.get(raw)
  }

  private secured(socket: TLSSocket): void {
    const handshake = this.handshakeOf(socket)
    if (handshake === undefined || handshake.hello === null || handshake.identity === null) return void socket.destroy()
    const { peer, introduction, hello, identity, identities } = handshake
    // None may be shown where none is required; one that is not good is worse.
    const refused = identity.asksClients && socket.getPeerX509Certificate() !== undefined ? refusalOf(socket) : null
    if (refused !== null) return this.giveUp(handshake, 'client-certificate', refused)
    this.forget(handshake)
    if (identity.challenge) return void socket.on('error', () => {}).end()
    socket.allowHalfOpen = true
    this.owner.secured({ socket, peer, introduction, hello, identity, identities })
  }

  /** HTTP without TLS, as browsers speak it where the scheme is left out: told so, others are none the wiser. */
  private answerPlain(handshake: Handshake, octets: Buffer): void {
    const { raw } = handshake
    const first = octets[0] ?? 0
    if (first < 0x41 || first > 0x5a) return this.giveUp(handshake, 'not-tls')
    this.fail(handshake, 'plain-http', null)
    handshake.deadline = Number.POSITIVE_INFINITY
    raw.write(PLAIN_ON_TLS, 'latin1')
    const closing = new LingeringClose(raw, this.deadlines, this.options.writeTimeout)
    raw.on('data', () => closing.discard())
  }

  /** Ends the oldest one of a peer; false where it has none. */
  endOneOf(peer: string): boolean {
    return this.endOldest((handshake) => handshake.peer === peer)
  }

  private makeRoom(): void {
    const greedy = this.shares.ofMost
    if (greedy === null || !this.endOneOf(greedy)) this.endOldest(() => true)
  }

  private endOldest(eligible: (handshake: Handshake) => boolean): boolean {
    for (const handshake of this.running.values()) {
      if (!eligible(handshake)) continue
      this.giveUp(handshake, 'crowded')
      return true
    }
    return false
  }

  private giveUp(handshake: Handshake, reason: HandshakeFailure, error: Error | null = null): void {
    if (!this.running.has(handshake.raw)) return
    this.fail(handshake, reason, error)
    this.forget(handshake)
    handshake.raw.destroy()
  }

  private fail(handshake: Handshake, reason: HandshakeFailure, error: Error | null): void {
    if (handshake.failed) return
    handshake.failed = true
    this.owner.failed(reason, handshake.peer, error)
  }

  private forget(handshake: Handshake): void {
    this.running.delete(handshake.raw)
    this.shares.delete(handshake.peer)
    this.deadlines.forget(handshake)
    this.owner.over(handshake.peer)
  }
}

/** Why the certificate of a client is not accepted; null where nothing is said against it. */
function refusalOf(socket: TLSSocket): Error | null {
  // An Error by its type, and a code of OpenSSL such as CERT_HAS_EXPIRED by what Node does.
  const reason: unknown = socket.authorizationError
  if (reason instanceof Error) return reason
  return typeof reason === 'string' ? new Error(`client certificate: ${reason}`) : null
}
