import type { Client } from './exchange.ts'
import type { Reply } from './reply.ts'
import type { HeadLimits } from './limits.ts'
import type { ReceivedHead } from './received-head.ts'
import type { ServerExchange } from './server-exchange.ts'

/** What a client's connection needs to know. Times are in milliseconds, sizes in bytes. */
export interface ServerOptions extends HeadLimits {
  readonly body: number
  /** Clients may use HTTP/2. Default false. */
  readonly http2?: boolean
  /** From the first byte of a head to its end. */
  readonly headTimeout: number
  /** Longest time without a byte while a body is awaited. */
  readonly bodyTimeout: number
  /** Longest time without a request. */
  readonly idleTimeout: number
  /** Longest time in which the client takes nothing of a reply. */
  readonly writeTimeout: number
  /** Minimum rate in bytes per second, for a body that is awaited or a reply that waits for its client; 0 for none. */
  readonly minRate: number
}

/**
 * Why a client was cut off: too slow in sending its body or in taking its reply, or more than its share of connections.
 */
export const slowReasons = ['body-rate', 'reply-rate', 'reply-timeout', 'connections'] as const

export type SlowReason = (typeof slowReasons)[number]

/** An exchange in progress. */
export interface Running {
  readonly exchange: ServerExchange
  /** It has no time limit: a tunnel, or an event stream. */
  readonly lasts: boolean
  /**
   * Ends it because its route is no longer in use: a WebSocket gets a Close frame, other replies are cut off, and a
   * request that is still being sent is refused. One that waits for the service continues: the service's timeout takes
   * care of it.
   */
  end(): 'ended' | 'waits' | 'over'
}

/** A client's connection as the gateway sees it, regardless of its protocol. */
export interface ServedConnection {
  /** Address of the peer, which may be a proxy. */
  readonly peer: string
  /** The address, or the IPv6 /64 network, whose share of the connections it is part of; set by the listener. */
  countedFor: string
  /** Index among the connections of its listener; used by the listener alone. */
  servedIndex: number
  /** Its position in the order in which the listener has accepted its connections; set by the listener. */
  order: number
  /** Set by `identify` to cache the client of an untrusted peer. */
  client: Client | null
  /** Number of exchanges without a complete reply. */
  readonly inFlight: number
  /** The exchanges in progress, for code that may end them. */
  readonly running: readonly Running[]
  /** Whether it is between two requests. */
  readonly idle: boolean
  /**
   * Whether the gateway waits for the client: for (more of) a request, for it to take more of a reply, or for it to
   * close.
   */
  readonly waitsForClient: boolean
  /** The options have changed. */
  reconfigure(): void
  /** Makes the next reply the last one: the client has to reconnect, and may thus reach another gateway. */
  retire(): void
  /** Accepts no further requests: an idle connection is closed now, a busy one after its current exchanges. */
  drain(): void
  /** Closes it now, as its place is needed for others. */
  preempt(): void
  /** Closes it now, whatever its state, in such a way that no client takes a partial reply for a complete one. */
  cutOff(): void
}

/** The gateway as a client's connection sees it. */
export interface ServerHandler {
  /** Answers the request. What it throws or rejects with is passed to `refuse`. */
  handle(exchange: ServerExchange): Reply | Promise<Reply>
  /** The reply to a request that could not be read. */
  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply
  /** The exchange has ended: what was sent, whether it was complete, and the error that cut it off, if any. */
  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void
  /** Identifies the client, by the forwarding fields where the peer is trusted. */
  identify(connection: ServedConnection, head: ReceivedHead): Client
  /** An exchange was ended because its client was too slow. */
  slow(reason: SlowReason): void
  /** The connection is closed. */
  closed(connection: ServedConnection): void
}
