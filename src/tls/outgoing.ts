import { constants, createHash } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { Clock } from '../core/clock.ts'
import { watchEnd } from './orderly-end.ts'
import { explainHandshake, explainTls, TlsFailure } from './tls-failure.ts'

/** TLS options for outgoing connections; certificates and keys as PEM. */
export interface OutgoingTlsOptions {
  /** Trusted authorities, instead of Node's defaults. */
  readonly ca?: string | undefined
  /** Client certificate and its chain. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Name that the certificate must have, instead of the host connected to. */
  readonly serverName?: string | undefined
  /** Accepted SHA-256 digests of the certificate's public key, in base64; empty for any. */
  readonly pin?: readonly string[] | undefined
  /** Skips verification of the certificate and its name; `pin` is still verified. */
  readonly insecure?: boolean | undefined
}

/** How long a session may be resumed before the certificate is verified again, in milliseconds. */
const RESUMABLE = 3_600_000

/** Creates the TLS context. Throws an Error for anything that OpenSSL rejects. */
export function outgoingContext({ ca, cert, key }: OutgoingTlsOptions): SecureContext {
  return createSecureContext({
    ...(ca !== undefined && { ca, allowPartialTrustChain: true }),
    ...(cert !== undefined && { cert, key }),
    // The certificate of a renegotiation would not be verified.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  })
}

/** The only protocol offered by ALPN (RFC 7301). */
export type Spoken = 'http/1.1' | 'h2'

/** TLS for the instances of one service: the context is created once, and again when the options are exchanged. */
export class OutgoingTls {
  readonly clock: Clock
  options: OutgoingTlsOptions
  context: SecureContext

  constructor(options: OutgoingTlsOptions, clock: Clock) {
    this.clock = clock
    this.options = options
    this.context = outgoingContext(options)
  }

  /** Uses other options for new handshakes. Throws an Error for anything that OpenSSL rejects, and changes nothing then. */
  exchange(options: OutgoingTlsOptions): void {
    this.context = outgoingContext(options)
    this.options = options
  }

  /** For connections to that host, a name or an IP address without brackets, using that protocol. */
  to(host: string, protocol: Spoken = 'http/1.1'): OutgoingEncryption {
    return new OutgoingEncryption(this, host, protocol)
  }
}

/** TLS for one instance; the next connection resumes the last session. */
export class OutgoingEncryption {
  private readonly tls: OutgoingTls
  private readonly host: string
  private readonly protocol: Spoken
  private session: Buffer | undefined
  /** Until when it may be resumed, in milliseconds since 1970. */
  private until = 0
  /** The context the session was established with. */
  private context: SecureContext | null = null
  private readonly ends = new WeakMap<Socket, () => boolean>()

  constructor(tls: OutgoingTls, host: string, protocol: Spoken) {
    this.tls = tls
    this.host = host
    this.protocol = protocol
  }

  /** The name that the certificate must have. */
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
      // RFC 6066 section 3: SNI is a name, never an address.
      servername: isIP(name) === 0 ? name : '',
      ALPNProtocols: [this.protocol],
      rejectUnauthorized: options.insecure !== true,
      ...(session !== undefined && { session }),
    })
    const { until } = this
    /** Until when this connection's sessions may be resumed; 0 until the peer is verified. */
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
      secure.off('secureConnect', connected)
    }
    const failed = (error: Error): void => {
      settle()
      this.session = undefined
      done(explainHandshake(error, name, options.cert !== undefined))
    }
    const connected = (): void => {
      const problem = protocolProblem(secure, this.protocol) ?? pinProblem(secure, options)
      if (problem !== null) return failed(problem)
      settle()
      verified = secure.isSessionReused() ? until : this.resumableUntil(secure)
      keep()
      done(null)
    }
    // Emitted before the end of the handshake in TLS 1.2, and at any time after it in TLS 1.3.
    secure.on('session', (ticket) => {
      fresh = ticket
      keep()
    })
    secure.on('error', failed)
    secure.on('secureConnect', connected)
    this.ends.set(secure, watchEnd(secure, socket))
    return secure
  }

  cutOff(socket: Socket): boolean {
    return this.ends.get(socket)?.() ?? true
  }

  explain(error: Error): Error {
    return explainTls(error, this.name, this.tls.options.cert !== undefined)
  }

  private resumableUntil(socket: TLSSocket): number {
    const now = this.tls.clock.wall()
    const ends = socket.getPeerX509Certificate()?.validToDate.getTime() ?? now
    return Math.min(now + RESUMABLE, ends)
  }
}

/** RFC 9113 section 3.3: HTTP/2 over TLS requires negotiation; HTTP/1.1 is also spoken if nothing was negotiated. */
function protocolProblem({ alpnProtocol }: TLSSocket, protocol: Spoken): TlsFailure | null {
  if (protocol !== 'h2' || alpnProtocol === 'h2') return null
  return new TlsFailure(
    'the service does not offer HTTP/2 (ALPN h2): enable it there, or remove http2 from the service',
  )
}

/** A session is kept only after its key was verified here: a peer that can resume it has that key or its secrets. */
function pinProblem(socket: TLSSocket, { pin = [] }: OutgoingTlsOptions): TlsFailure | null {
  if (pin.length === 0 || socket.isSessionReused()) return null
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined)
    return new TlsFailure('the service has no certificate, so there is no key to compare with the option pin')
  const found = createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
  if (pin.includes(found)) return null
  return new TlsFailure(`the key of the certificate does not match the option pin: it is sha256//${found}`)
}
