import type { TLSSocket } from 'node:tls'
import type { Reply } from '../http/reply.ts'
import type { Exchange } from '../http/exchange.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { ServerOptions, SlowReason } from '../http/server-handler.ts'
import type { ClientHello } from '../tls/client-hello.ts'
import type { Identity } from '../tls/server-identities.ts'
import type { CertificateForm } from './certificate-fields.ts'
import type { HandshakeFailure } from './handshake-failure.ts'
import type { RefusalReason } from '../proxy-protocol/arrivals.ts'

/** Redirects requests. */
export interface Redirect {
  /** Null for a request that is to be answered normally. Throws GatewayError. */
  replyTo(exchange: Exchange): Reply | null
}

/** Processes the requests of a listener. */
export interface Receiver {
  /**
   * Answers a request of a listener, which has `redirect` where it redirects. What it throws or rejects with goes to
   * `refuse`.
   */
  handle(exchange: ServerExchange, redirect: Redirect | null): Reply | Promise<Reply>
  /** The reply to a request that could not be read; `exchange` is null where even its head was invalid. */
  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply
  /** The certificate to present to a CA that validates a challenge; null for any other client. */
  challenge(hello: ClientHello): Identity | null
  /** An exchange was ended because its client was too slow. */
  slow(reason: SlowReason): void
  /** A connection was closed because it did not begin with a trusted, valid PROXY protocol header. */
  refusedArrival(reason: RefusalReason, peer: string, detail: string): void
  /** The exchange has ended: the status and the bytes of content that were sent, and whether the reply was complete. */
  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void
}

/** Observes handshakes. */
export interface HandshakeWatcher {
  /** A handshake is complete. */
  secured(socket: TLSSocket): void
  /** A handshake has failed; `error` is what OpenSSL or the system reported, or null. */
  failed(reason: HandshakeFailure, peer: string, error: Error | null): void
}

/** Options of a listener. */
export interface ListenerOptions extends ServerOptions {
  /** Its name in the configuration. */
  readonly name: string
  /** Redirects requests; null where they are answered. */
  readonly redirect: Redirect | null
  /** Clients use TLS. */
  readonly secure: boolean
  /** Clients may use HTTP/2. */
  readonly http2: boolean
  /**
   * Where clients are asked for certificates: the configured address, and the forms in which services receive them;
   * else null.
   */
  readonly clientCertificates: { readonly listener: string; readonly forms: readonly CertificateForm[] } | null
  /** From the beginning of a connection to the end of its handshake, in milliseconds. */
  readonly handshakeTimeout: number
  /** Maximum number of concurrent handshakes. */
  readonly handshakes: number
  /**
   * Maximum number of client connections; further ones are closed at once, or replace one of a client that has more
   * than half.
   */
  readonly connections: number
  readonly perClient: {
    /** Maximum number of connections of one peer; undefined: no separate limit. */
    readonly connections?: number | undefined
  }
  /** Every connection begins with a PROXY protocol header. */
  readonly proxyProtocol: boolean
}
