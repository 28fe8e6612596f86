import type { GatewayError } from '../core/errors.ts'
import type { Headers } from './headers.ts'
import type { OutgoingRequest } from './outgoing-request.ts'
import type { PoolBounds } from './pool-options.ts'
import type { Reply } from './reply.ts'

/** What carries one exchange to an instance: in HTTP/1.1 a connection, in HTTP/2 a stream. */
export interface Lane {
  /** Sends the request; the listener is told what becomes of it. */
  exchange(request: OutgoingRequest, listener: ReplyListener): void
  /** Nobody waits for the reply to that request any more: ends the exchange at once. */
  cancel(): void
  /** Nothing is sent after all: another exchange may have the lane. */
  giveBack(): void
}

/** Who waits for the reply to a request. */
export interface ReplyListener {
  /** An interim response other than 100 and 101. */
  informed(status: number, headers: Headers): void
  /** The head of the reply is here; whether it is one that goes on for as long as both sides like. */
  replied(reply: Reply, lasting: boolean): void
  /** There will be no reply: ClosedBeforeReply, GatewayError 'bad-gateway' or 'gateway-timeout', or what the request's body failed with. */
  failed(error: GatewayError): void
  /**
   * The reply that was there breaks off: ClosedWithinReply, or the errors of `failed`. Not told of one that lasts, as of events, nor
   * where that was wanted.
   */
  brokeOff(error: GatewayError): void
  /** The lane has nothing more to do with the exchange: once for each, after `replied` and `brokeOff`, before `failed`. */
  finished(): void
}

/** Connections of a pool that exist or are being made, and requests that wait for a lane. */
export interface PoolSize {
  readonly idle: number
  readonly busy: number
  readonly connecting: number
  /** Carry an exchange that lasts. */
  readonly streaming: number
  readonly waiting: number
}

/** Service -> address of an instance -> the pool of its connections. */
export type PoolSizes = Readonly<Record<string, Readonly<Record<string, PoolSize>>>>

/** The lanes of one thread to one instance. */
export interface LanePool {
  readonly size: PoolSize
  /** A lane for a request of that client to use at once, if there is one. */
  take(client: string): Lane | null
  /** A lane for a request of that client, new or waited for. Rejects with ConnectFailed, or GatewayError 'too-busy'. */
  acquire(client: string): Promise<Lane>
  /** Has other bounds from now on: lanes go by them from their next exchange on; requests that wait keep the time that they were given. */
  configure(bounds: PoolBounds): void
  /** Ends idle connections now and busy ones after their exchange. */
  close(): void
}
