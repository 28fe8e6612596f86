import type { Client } from './exchange.ts'
import type { Reply } from './reply.ts'
import type { HeadLimits } from './limits.ts'
import type { ReceivedHead } from './received-head.ts'
import type { ServerExchange } from './server-exchange.ts'

/** What a client's connection needs from the gateway. Times are milliseconds, sizes octets. */
export interface ServerOptions extends HeadLimits {
  readonly body: number
  /** Clients may speak HTTP/2. Default false. */
  readonly http2?: boolean
  /** From the first octet of a head to its end. */
  readonly headTimeout: number
  /** Without an octet of a body that is awaited. */
  readonly bodyTimeout: number
  /** Without a request. */
  readonly idleTimeout: number
  /** Without the client taking anything of a reply. */
  readonly writeTimeout: number
  /** Octets a second of a body that is awaited, or of a reply that waits for its client; 0 for none. */
  readonly minRate: number
}

/** What a client was too slow in: sending its body, or taking its reply; or what it had more than its share of. */
export const slowReasons = ['body-rate', 'reply-rate', 'reply-timeout', 'connections'] as const

export type SlowReason = (typeof slowReasons)[number]

/** An exchange that is under way. */
export interface Running {
  readonly exchange: ServerExchange
  /** It goes on for as long as both sides like: a tunnel, or a stream of events. */
  readonly lasts: boolean
  /**
   * Ends it, as its route leads there no longer: a WebSocket is told, another reply is cut off, and a request that is still
   * being sent is refused. One that waits for the service goes on: the time-out of that is for it.
   */
  end(): 'ended' | 'waits' | 'over'
}

/** A client's connection as the gateway sees it, whatever protocol it speaks. */
export interface ServedConnection {
  /** Address of the peer, which may be a proxy. */
  readonly peer: string
  /** For `identify` to keep what it found out about an untrusted peer. */
  client: Client | null
  /** Exchanges that are not yet answered whole. */
  readonly inFlight: number
  /** The same, for somebody who may end them. */
  readonly running: readonly Running[]
  /** Whether it is between two requests. */
  readonly idle: boolean
  /** Whether the client is waited for, to send a request or more of it, to take more of a reply, or to end. */
  readonly waitsForClient: boolean
  /** The options that it goes by say something else from now on. */
  reconfigure(): void
  /** Its next reply is to be the last one: the client is asked to connect anew, and so perhaps to another gateway. */
  retire(): void
  /** No further request: an idle connection ends now, a busy one after what it is at. */
  drain(): void
  /** Ends it now, as others need its place. */
  makeWay(): void
  /** Ends it now, whatever it is at; no client takes what it has of a reply for whole. */
  cutOff(): void
}

/** The gateway as a client's connection sees it. */
export interface ServerHandler {
  /** Answers. What it throws or rejects with goes to `refuse`. */
  handle(exchange: ServerExchange): Reply | Promise<Reply>
  /** The reply to a request that could not be read. */
  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply
  /** The exchange is over: what was sent, whether it was sent whole, and what it was broken off with, if anything. */
  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void
  /** Who the client is, by the forwarding fields where the peer may be believed. */
  identify(connection: ServedConnection, head: ReceivedHead): Client
  /** An exchange was ended as its client was too slow. */
  slow(reason: SlowReason): void
  /** The connection is gone. */
  closed(connection: ServedConnection): void
}
