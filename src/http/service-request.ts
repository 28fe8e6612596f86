import type { Bytes } from './body.ts'
import type { Headers } from './headers.ts'

/** A request that the gateway makes itself, for nobody's exchange. */
export interface ServiceRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Headers
  readonly body: Bytes | null
  /** Until the reply is complete, in milliseconds. */
  readonly timeout: number
  /** Octets that its body may have. */
  readonly limit: number
  /** Ends it early. */
  readonly signal?: AbortSignal
}

/** What came back. */
export interface ServiceReply {
  readonly status: number
  readonly headers: Headers
  readonly body: Bytes
}
