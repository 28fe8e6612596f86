import { constants, createHash } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { Clock } from '../core/clock.ts'
import { watchEnd } from './orderly-end.ts'
import { explainHandshake, explainTls, TlsFailure } from './tls-failure.ts'

/** How connections to others are encrypted; certificates and keys as PEM. */
export interface OutgoingTlsOptions {
  /** Authorities that are believed, in place of those that Node knows. */
  readonly ca?: string | undefined
  /** Client certificate, and those that it was signed with. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Name that the certificate must have, in place of the host that is connected to. */
  readonly serverName?: string | undefined
  /** SHA-256 of the public keys that the certificate may have, in base64; empty for any. */
  readonly pin?: readonly string[] | undefined
  /** The certificate and its name are not verified; `pin` is. */
  readonly insecure?: boolean | undefined
}

/** How long a session is resumed, in milliseconds, until the certificate is looked at again. */
const RESUMABLE = 3_600_000

/** Makes the context of TLS connections. Throws an Error for what OpenSSL does not take. */
export function outgoingContext({ ca, cert, key }: OutgoingTlsOptions): SecureContext {
  return createSecureContext({
    ...(ca !== undefined && { ca, allowPartialTrustChain: true }),
    ...(cert !== undefined && { cert, key }),
    // The certificate of a second handshake would be looked at by nobody.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  })
}

/** What is offered by ALPN (RFC 7301): nothing else. */
export type Spoken = 'http/1.1' | 'h2'

/** How the instances of one service are connected to: the context is made once, and again where it is exchanged. */
export class OutgoingTls {
  readonly clock: Clock
  options: OutgoingTlsOptions
  context: SecureContext

  constructor(options: OutgoingTlsOptions, clock: Clock) {
    this.clock = clock
    this.options = options
    this.context = outgoingContext(options)
  }

  /** New handshakes are by other options. Throws an Error for what OpenSSL does not take, and changes nothing then. */
  exchange(options: OutgoingTlsOptions): void {
    this.context = outgoingContext(options)
    this.options = options
  }

  /** For connections to that host, a name or an IP address without brackets, on which that is spoken. */
  to(host: string, protocol: Spoken = 'http/1.1'): OutgoingEncryption {
    return new OutgoingEncryption(this, host, protocol)
  }
}

/** TLS to one instance, whose last session is resumed by the next connection. */
export class OutgoingEncryption {
  private readonly tls: OutgoingTls
  private readonly host: string
  private readonly protocol: Spoken
  private session: Buffer | undefined
  /** Until when it is resumed, in milliseconds since 1970. */
  private until = 0
  /** What it was agreed on by. */
  private context: SecureContext | null = null
  private readonly ends = new WeakMap<Socket, () => boolean>()

  constructor(tls: OutgoingTls, host: string, protocol: Spoken) {
    this.tls = tls
    this.host = host
    this.protocol = protocol
  }

  /** What the certificate must be of. */
  private get name(): string {
    return this.tls.options.serverName ?? this.host
  }

  begin(socket: Socket, done: (error: Error | null) => void): TLSSocket {
    const { name } = this
    const { context, options, clock } = this.tls
    const isFresh = context === this.context && clock.wall() < this.until
    const session = isFresh ? this.session : undefined
    const secure = connect({
      socket,
      secureContext: context,
      host: name,
      // RFC 6066 section 3: a name, never an address.
      servername: isIP(name) === 0 ? name : '',
      ALPNProtocols: [this.protocol],
      rejectUnauthorized: options.insecure !== true,
      ...(session !== undefined && { session }),
    })
    const { until } = this
    /** Until when what is agreed on now may be resumed; 0 before it is known that it is right. */
    let verified = 0
    let fresh: Buffer | undefined
    const keep = (): void => {
      if (verified === 0 || fresh === undefined) return
      this.session = fresh
      this.until = verified
      this.context = context
      fresh = undefined
    }
    const settle = (): void => {
      secure.off('error', failed)
      secure.off('secureConnect', stands)
    }
    const failed = (error: Error): void => {
      settle()
      this.session = undefined
      done(explainHandshake(error, name))
    }
    const stands = (): void => {
      const problem = protocolProblem(secure, this.protocol) ?? pinProblem(secure, options)
      if (problem !== null) return failed(problem)
      settle()
      verified = secure.isSessionReused() ? until : this.resumableUntil(secure)
      keep()
      done(null)
    }
    // Before the handshake is over in TLS 1.2, and any time after it in TLS 1.3.
    secure.on('session', (given) => {
      fresh = given
      keep()
    })
    secure.on('error', failed)
    secure.on('secureConnect', stands)
    this.ends.set(secure, watchEnd(secure, socket))
    return secure
  }

  cutOff(socket: Socket): boolean {
    return this.ends.get(socket)?.() ?? true
  }

  explain(error: Error): Error {
    return explainTls(error, this.name)
  }

  private resumableUntil(socket: TLSSocket): number {
    const now = this.tls.clock.wall()
    const ends = socket.getPeerX509Certificate()?.validToDate.getTime() ?? now
    return Math.min(now + RESUMABLE, ends)
  }
}

/** RFC 9113 section 3.3: HTTP/2 is spoken over TLS only where that was agreed on; HTTP/1.1 also where nothing was. */
function protocolProblem({ alpnProtocol }: TLSSocket, protocol: Spoken): TlsFailure | null {
  if (protocol !== 'h2' || alpnProtocol === 'h2') return null
  return new TlsFailure('the service does not agree to HTTP/2 (ALPN): take http2 from it, or have it offer h2')
}

/** A session is kept only once its key was found right here: whoever resumes it has that key, or its secrets. */
function pinProblem(socket: TLSSocket, { pin = [] }: OutgoingTlsOptions): TlsFailure | null {
  if (pin.length === 0 || socket.isSessionReused()) return null
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined)
    return new TlsFailure('the service has no certificate, and so no key for the option pin')
  const found = createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
  if (pin.includes(found)) return null
  return new TlsFailure(`the key of the certificate is not one of the option pin: it is sha256//${found}`)
}
