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

/** Leads requests elsewhere. */
export interface Redirect {
  /** Null for what is to be answered as it is. Throws GatewayError. */
  replyTo(exchange: Exchange): Reply | null
}

/** What becomes of the requests of a listener. */
export interface Receiver {
  /** Answers what came to a listener that leads elsewhere with `redirect`, or does not. What it throws or rejects with goes to `refuse`. */
  handle(exchange: ServerExchange, redirect: Redirect | null): Reply | Promise<Reply>
  /** The reply to a request that could not be read; `exchange` is null where not even its head could be. */
  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply
  /** What is shown to a CA that looks whether its challenge is answered; null to anybody else. */
  challenge(hello: ClientHello): Identity | null
  /** An exchange was ended as its client was too slow. */
  slow(reason: SlowReason): void
  /** A connection was closed as it did not begin with a header of the PROXY protocol that may be believed. */
  refusedArrival(reason: RefusalReason, peer: string, detail: string): void
  /** The exchange is over: the status and octets of content that were sent, and whether the reply was sent whole. */
  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void
}

/** Who is told of handshakes. */
export interface HandshakeWatcher {
  /** One is complete: the client speaks TLS now. */
  secured(socket: TLSSocket): void
  /** One came to nothing; `error` is what OpenSSL or the system said, or null. */
  failed(reason: HandshakeFailure, peer: string, error: Error | null): void
}

/** What a listener needs to know. */
export interface ListenerOptions extends ServerOptions {
  /** How it is called in the configuration. */
  readonly name: string
  /** Leads requests elsewhere; null where they are answered. */
  readonly redirect: Redirect | null
  /** Clients speak TLS. */
  readonly secure: boolean
  /** Clients may speak HTTP/2. */
  readonly http2: boolean
  /** Clients are asked for certificates: the address that is configured, and the fields in which services are told of them; else null. */
  readonly clientCertificates: { readonly listener: string; readonly forms: readonly CertificateForm[] } | null
  /** From the beginning of a connection to the end of its handshake, in milliseconds. */
  readonly handshakeTimeout: number
  /** Handshakes at the same time. */
  readonly handshakes: number
  /** Client connections at the same time; further ones are closed as they come, or take the place of one of a client that has most. */
  readonly connections: number
  readonly perClient: {
    /** Connections of one peer at the same time; undefined: as many as there may be. */
    readonly connections?: number | undefined
  }
  /** Every connection begins with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean
}
