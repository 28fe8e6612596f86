import type { Client } from '../http/exchange.ts'
import type { Reply } from '../http/reply.ts'
import type { HeadLimits } from '../http/limits.ts'
import type { RequestHead } from './request-head.ts'
import type { ServerConnection } from './server-connection.ts'
import type { ServerExchange } from './server-exchange.ts'

/** What a server connection needs from the gateway. Times are milliseconds, sizes octets. */
export interface ServerOptions extends HeadLimits {
  readonly body: number
  /** From the first octet of a head to its end. */
  readonly headTimeout: number
  /** Without an octet of a body that is awaited. */
  readonly bodyTimeout: number
  /** Without a request. */
  readonly idleTimeout: number
  /** Without the client taking anything of a reply. */
  readonly writeTimeout: number
  /** Octets a second of a body that is awaited, or of a reply that waits for its client; 0 for none. */
  readonly leastRate: number
}

/** What a client was too slow in: sending its body, or taking its reply; or what it had more than its share of. */
export const slowReasons = ['body-rate', 'reply-rate', 'reply-timeout', 'connections'] as const

export type SlowReason = (typeof slowReasons)[number]

/** The gateway as a server connection sees it. */
export interface ServerHandler {
  /** Answers. What it throws or rejects with goes to `refuse`. */
  handle(exchange: ServerExchange): Reply | Promise<Reply>
  /** The reply to a request that could not be read. */
  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply
  /** The exchange is over: what was sent, whether it was sent whole, and what it was broken off with, if anything. */
  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void
  /** Who the client is, by the forwarding fields where the peer may be believed. */
  identify(connection: ServerConnection, head: RequestHead): Client
  /** An exchange was ended as its client was too slow. */
  slow(reason: SlowReason): void
  /** The connection is gone. */
  closed(connection: ServerConnection): void
}
