import type { GatewayError } from '../core/errors.ts'
import type { Headers } from './headers.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import type { PoolBounds } from './pool-options.ts'
import type { Reply } from './reply.ts'

/** Carries one exchange at a time to an instance: a connection in HTTP/1.1, a stream in HTTP/2. */
export interface Lane {
  /** Sends the request; the listener is notified of the outcome. */
  exchange(request: OutgoingRequest, listener: ReplyListener): void
  /** The reply to that request is no longer wanted: ends the exchange at once. */
  cancel(): void
  /** Nothing will be sent after all: the lane becomes available to another exchange. */
  giveBack(): void
}

/** Receives the reply to a request. */
export interface ReplyListener {
  /** An interim response other than 100 and 101. */
  interimReply(status: number, headers: Headers): void
  /** The head of the reply has arrived; `lasting` says whether the reply has no limit of size or time. */
  replied(reply: Reply, lasting: boolean): void
  /**
   * There will be no reply: ClosedBeforeReply, GatewayError 'bad-gateway' or 'gateway-timeout', or the error of the
   * request's body.
   */
  failed(error: GatewayError): void
  /**
   * The reply broke off after it had begun: ClosedWithinReply, or the errors of `failed`. Not called for a lasting
   * reply, such as an event stream, nor where the end was requested.
   */
  brokeOff(error: GatewayError): void
  /**
   * The lane has nothing more to do with the exchange: called once for each, after `replied` and `brokeOff`, before
   * `failed`.
   */
  finished(): void
}

/** Number of connections of a pool, established or being established, and of requests that wait for a lane. */
export interface PoolSize {
  readonly idle: number
  readonly busy: number
  readonly connecting: number
  /** Connections that carry a long-lived exchange. */
  readonly streaming: number
  readonly waiting: number
}

/** Service -> address of an instance -> size of its connection pool. */
export type PoolSizes = Readonly<Record<string, Readonly<Record<string, PoolSize>>>>

/** The lanes of one thread to one instance. */
export interface LanePool {
  readonly size: PoolSize
  /** A lane for a request of that client, if one is available at once. */
  take(client: string): Lane | null
  /**
   * A lane for a request of that client, newly made or waited for. Rejects with ConnectFailed, or GatewayError
   * 'too-busy'.
   */
  acquire(client: string): Promise<Lane>
  /**
   * Changes the bounds: lanes follow them from their next exchange on; requests that already wait keep their time
   * limit.
   */
  configure(bounds: PoolBounds): void
  /** Closes idle connections now and busy ones after their exchange. */
  close(): void
}
