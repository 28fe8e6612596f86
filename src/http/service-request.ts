import type { Bytes } from './body.ts'
import type { Headers } from './headers.ts'

/** A request that the gateway makes itself, outside of any exchange. */
export interface ServiceRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Headers
  readonly body: Bytes | null
  /** Limit until the reply is complete, in milliseconds. */
  readonly timeout: number
  /** Largest reply body accepted, in bytes. */
  readonly limit: number
  /** Aborts the request. */
  readonly signal?: AbortSignal
}

/** The reply of a service to a request of the gateway itself. */
export interface ServiceReply {
  readonly status: number
  readonly headers: Headers
  readonly body: Bytes
}
