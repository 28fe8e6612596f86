import type { Body } from './body.ts'

/** How long a service may take, in milliseconds. */
export interface ServiceTimeouts {
  /** From the last octet of the request to the end of the response head, and without the service taking any of a body. */
  readonly responseTimeout: number
  /** Without an octet of a response body that is awaited. */
  readonly idleTimeout: number
}

/** A request for an instance, as every wire can write it: how it is framed is the wire's. */
export interface OutgoingRequest {
  /** Address of the client that it is sent for. */
  readonly client: string
  readonly method: string
  /** Host and port of what is asked for. */
  readonly authority: string
  /** Path with query, or "*"; fit for a request line. */
  readonly target: string
  /** End-to-end fields, already validated, each "Name: value\r\n". */
  readonly fields: string
  readonly body: Body
  /** Trailers are taken (RFC 9110 section 10.1.4). */
  readonly acceptsTrailers: boolean
  /** The body, a stream, follows when the service says 100 (Continue) (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean
  /** The protocol to change to, or null. */
  readonly upgrade: WantedUpgrade | null
  /** In place of those of the lane. */
  readonly timeouts?: ServiceTimeouts
}

/** A change to WebSocket that a request asks for. */
export interface WantedUpgrade {
  /** "websocket", in the spelling of the client. */
  readonly protocol: string
  /** Its Sec-WebSocket-Key, or "". */
  readonly key: string
}
