import type { Body } from './body.ts'

/** Time limits for a service, in milliseconds. */
export interface ServiceTimeouts {
  /** From the last byte of the request to the end of the response head; also for the service taking none of a body. */
  readonly responseTimeout: number
  /** Longest time without a byte while a response body is awaited. */
  readonly idleTimeout: number
}

/** A request to an instance, independent of the HTTP version: framing is left to the connection. */
export interface OutgoingRequest {
  /** Address of the client that it is sent for. */
  readonly client: string
  readonly method: string
  /** Host and port of the target. */
  readonly authority: string
  /** Path with query, or "*"; valid in a request line. */
  readonly target: string
  /** End-to-end header fields, already validated, each "Name: value\r\n". */
  readonly fields: string
  readonly body: Body
  /** Trailers are accepted (RFC 9110 section 10.1.4). */
  readonly acceptsTrailers: boolean
  /** A gRPC call: over HTTP/2, it ends with DATA even without content, as some servers ignore an end in HEADERS. */
  readonly isCall: boolean
  /** The body, a stream, is only sent once the service answers 100 (Continue) (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean
  /** The protocol to upgrade to, or null. */
  readonly upgrade: RequestedUpgrade | null
  /** Overrides the time limits of the lane. */
  readonly timeouts?: ServiceTimeouts
}

/** A requested upgrade to WebSocket. */
export interface RequestedUpgrade {
  /** "websocket", as spelled by the client. */
  readonly protocol: string
  /** Its Sec-WebSocket-Key, or "". */
  readonly key: string
}
