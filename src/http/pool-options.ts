import type { Socket } from 'node:net'
import type { Encryption } from './encryption.ts'
import type { FieldLimits } from './limits.ts'
import type { ServiceTimeouts } from './outgoing-request.ts'

/** Limits of a connection to an instance, which may change during its lifetime; times are in milliseconds. */
export interface ClientBounds extends FieldLimits, ServiceTimeouts {
  /** How long it may be idle. */
  readonly poolTimeout: number
  /**
   * How long a new connection is reused: without a limit, it might hold on to an address that its host name no longer
   * has.
   */
  readonly lifetime: () => number
}

/** Options of a connection to an instance. */
export interface ClientOptions extends ClientBounds {
  /** Null where connections are not encrypted. */
  readonly encryption: Encryption | null
}

/** Limits of a pool, which may change during its lifetime; times are in milliseconds. */
export interface PoolBounds extends ClientBounds {
  /** Maximum number of connections. */
  readonly connections: number
  /**
   * Maximum number of long-lived exchanges (event streams, upgraded connections): their connections do not count above.
   */
  readonly streams: number
  /** Maximum number of requests that wait for a lane, and how long each may wait. */
  readonly queue: number
  readonly queueTimeout: number
  readonly connectTimeout: number
}

/** Where connections lead to, and how they begin. */
export interface Place {
  readonly host: string
  readonly port: number
  /** Null where connections are not encrypted. */
  readonly encryption: Encryption | null
  /**
   * The preamble of a new connection, which identifies the client it is for: the connection is then used for no other
   * client. Null where connections are shared by all clients.
   */
  readonly introduction: ((client: string, socket: Socket) => Buffer) | null
}

export interface PoolOptions extends PoolBounds, Place {
  /** Called for each exchange that was ended because it waited for its own client while others waited for its lane. */
  readonly onPreempted: () => void
}
