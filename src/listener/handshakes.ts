import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { carrierOf } from '../core/node-internals.ts'
import { letGoOnClose } from '../http/let-go.ts'
import type { Deadlines, Timed } from '../http/deadlines.ts'
import { LingeringClose } from '../http/lingering-close.ts'
import { PLAIN_ON_TLS } from '../http1/plain-on-tls.ts'
import { type ClientHello, ClientHelloCollector, looksLikeTls } from '../tls/client-hello.ts'
import type { Identity, ServerIdentities } from '../tls/server-identities.ts'
import type { Introduction } from '../proxy-protocol/introduction.ts'
import { type HandshakeFailure, reasonOf } from './handshake-failure.ts'
import { ConnectionShares, type Counted } from './connection-shares.ts'

/** A connection whose handshake is complete. */
export interface Secured {
  readonly socket: TLSSocket
  readonly peer: string
  /** What a proxy has said about the client, or null. */
  readonly introduction: Introduction | null
  readonly hello: ClientHello
  /** The certificate that the gateway presented. */
  readonly identity: Identity
  /** All certificates that it was chosen from. */
  readonly identities: ServerIdentities
}

/** Receives the outcomes of handshakes. */
export interface HandshakeOwner {
  secured(secured: Secured): void
  /** The certificate to present to a CA that validates a challenge; null for any other client. */
  challenge(hello: ClientHello): Identity | null
  /**
   * A handshake has failed, and its connection is about to be closed; `error` is what OpenSSL or the system reported,
   * or null.
   */
  failed(reason: HandshakeFailure, peer: string, error: Error | null): void
  /** A handshake has ended: its connection is closed, or about to be `secured`. */
  over(handshake: Counted): void
}

export interface HandshakeOptions {
  /** From the beginning of the connection to the end of the handshake, in milliseconds. */
  readonly handshakeTimeout: number
  /** Maximum number of concurrent handshakes. */
  readonly handshakes: number
  /** How long a client may take nothing of what it is sent, in milliseconds. */
  readonly writeTimeout: number
}

/** A connection until its handshake has ended. */
interface Handshake extends Timed, Counted {
  readonly raw: Socket
  readonly introduction: Introduction | null
  /** Collects the hello until it is complete. */
  collector: ClientHelloCollector | null
  hello: ClientHello | null
  identity: Identity | null
  /** The certificates available when it began. */
  readonly identities: ServerIdentities
  /** The failure has already been reported. */
  failed: boolean
}

/**
 * The connections of a TLS listener whose handshakes are not complete. The hello is read here first, so that it decides
 * about the certificate even where a session is resumed, and silent clients cost next to nothing. At the limit, the
 * oldest handshake is dropped, preferably of a peer that has more than half of them: an honest one takes no longer than
 * a moment.
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

  get size(): number {
    return this.running.size
  }

  /** The options have changed. */
  reconfigure(): void {
    this.shares.allow(this.options.handshakes)
  }

  /** Presents these certificates from now on; handshakes in progress keep the previous ones. */
  use(identities: ServerIdentities): void {
    this.identities = identities
  }

  /** Takes a connection of that peer, from which at most a proxy's header has been read. */
  begin(raw: Socket, { peer, countedFor }: Counted, introduction: Introduction | null): void {
    if (this.running.size >= this.options.handshakes) this.makeRoom()
    const handshake: Handshake = {
      raw,
      peer,
      countedFor,
      introduction,
      collector: null,
      hello: null,
      identity: null,
      identities: this.identities,
      failed: false,
      deadline: this.deadlines.in(this.options.handshakeTimeout),
      watchIndex: -1,
      onDeadline: () => this.giveUp(handshake, 'timeout'),
    }
    this.running.set(raw, handshake)
    this.shares.add(countedFor)
    this.deadlines.watch(handshake)
    raw.on('error', (error) => this.giveUp(handshake, 'closed', error))
    // The reason is reported right after the close where it was the client's certificate.
    raw.on('close', () => setImmediate(() => this.giveUp(handshake, 'closed')))
    raw.once('end', () => {
      if (!handshake.failed) this.giveUp(handshake, 'closed')
    })
    raw.on('data', (bytes: Buffer) => this.read(handshake, bytes))
    letGoOnClose(raw)
    raw.resume()
  }

  end(): void {
    for (const handshake of this.running.values()) this.giveUp(handshake, 'closed')
  }

  private read(handshake: Handshake, bytes: Buffer): void {
    if (handshake.failed) return
    if (handshake.collector === null && !looksLikeTls(bytes[0] ?? 0)) return this.answerPlain(handshake, bytes)
    const collector = (handshake.collector ??= new ClientHelloCollector())
    const hello = collector.take(bytes)
    if (hello !== null) this.secure(handshake, hello, collector.bytes)
  }

  private secure(handshake: Handshake, hello: ClientHello, bytes: Buffer): void {
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
    raw.unshift(bytes)
    // A client that half-closes during the handshake is treated as gone: no reply could be sent to it yet.
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
      // The socket closes by itself once the alert has been sent to the client.
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
    // Where a certificate is optional, the client may present none; an invalid one is still rejected.
    const refused = identity.asksClients && socket.getPeerX509Certificate() !== undefined ? refusalOf(socket) : null
    if (refused !== null) return this.giveUp(handshake, 'client-certificate', refused)
    this.forget(handshake)
    if (identity.challenge) return void socket.on('error', () => {}).end()
    socket.allowHalfOpen = true
    this.owner.secured({ socket, peer, introduction, hello, identity, identities })
  }

  /** Plain HTTP, as from browsers where the scheme was omitted, gets an explanation; other protocols get none. */
  private answerPlain(handshake: Handshake, bytes: Buffer): void {
    const { raw } = handshake
    const first = bytes[0] ?? 0
    if (first < 0x41 || first > 0x5a) return this.giveUp(handshake, 'not-tls')
    this.fail(handshake, 'plain-http', null)
    handshake.deadline = Number.POSITIVE_INFINITY
    raw.write(PLAIN_ON_TLS, 'latin1')
    const closing = new LingeringClose(raw, this.deadlines, this.options.writeTimeout)
    raw.on('data', () => closing.discard())
  }

  /** Ends the oldest handshake that may be ended; false where there is none. */
  endOldest(eligible: (handshake: Counted) => boolean): boolean {
    for (const handshake of this.running.values()) {
      if (!eligible(handshake)) continue
      this.giveUp(handshake, 'crowded')
      return true
    }
    return false
  }

  private makeRoom(): void {
    const greedy = this.shares.ofMost
    if (greedy === null || !this.endOldest(({ countedFor }) => countedFor === greedy)) this.endOldest(() => true)
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
    this.shares.delete(handshake.countedFor)
    this.deadlines.forget(handshake)
    this.owner.over(handshake)
  }
}

/** Why the certificate of a client was rejected; null where it was not. */
function refusalOf(socket: TLSSocket): Error | null {
  // Declared as an Error, but in fact Node sets an OpenSSL code such as CERT_HAS_EXPIRED.
  const reason: unknown = socket.authorizationError
  if (reason instanceof Error) return reason
  return typeof reason === 'string' ? new Error(`client certificate: ${reason}`) : null
}
