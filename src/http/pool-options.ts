import type { Socket } from 'node:net'
import type { Encryption } from './encryption.ts'
import type { FieldLimits } from './limits.ts'
import type { ServiceTimeouts } from './outgoing-request.ts'

/** Bounds of a connection to an instance, which may change while it lives; times are milliseconds. */
export interface ClientBounds extends FieldLimits, ServiceTimeouts {
  /** Without a request. */
  readonly poolTimeout: number
  /** How long a new connection is used again: for ever, it would hold on to an address that its name no longer has. */
  readonly lifetime: () => number
}

/** What a connection to an instance needs to know. */
export interface ClientOptions extends ClientBounds {
  /** Null where connections are not encrypted. */
  readonly encryption: Encryption | null
}

/** Bounds of a pool, which may change while it lives; times are milliseconds. */
export interface PoolBounds extends ClientBounds {
  /** Connections at the same time. */
  readonly connections: number
  /** Exchanges that last at the same time, a stream of events or another protocol: their connections do not count. */
  readonly streams: number
  /** Requests that wait for a lane at the same time, and how long each waits at most. */
  readonly queue: number
  readonly queueTimeout: number
  readonly connectTimeout: number
}

/** Where connections lead, and how they begin. */
export interface Place {
  readonly host: string
  readonly port: number
  /** Null where connections are not encrypted. */
  readonly encryption: Encryption | null
  /**
   * What a new connection begins with, which says for which client it is: it is used for no other one then. Null where
   * connections are for anybody.
   */
  readonly introduction: ((client: string, socket: Socket) => Buffer) | null
}

/** What a pool is made of. */
export interface PoolOptions extends PoolBounds, Place {
  /** Told of each exchange that was ended as it waited for its own client while others waited for its lane. */
  readonly madeWay: () => void
}
