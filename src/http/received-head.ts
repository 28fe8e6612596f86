import type { GatewayError } from '../core/errors.ts'
import type { ReceivedFields } from './received-fields.ts'

/** The version of HTTP that a client speaks. */
export type Protocol = '1.0' | '1.1' | '2'

/** The head of a request as its wire has read it: it holds until the wire reads the next one. */
export interface ReceivedHead {
  readonly protocol: Protocol
  readonly method: string
  /** Path with query, or "*" for OPTIONS. */
  readonly target: string
  /** Host and port in lower case; "" only for HTTP/1.0. */
  readonly authority: string
  /** The protocol that the client asks to change to (RFC 9110 section 7.8); null if it does not. */
  readonly upgrade: string | null
  /** The client waits for 100 (Continue) before it sends the content (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean
  /** The request is understood, and refused all the same; null if it is not. */
  readonly refusal: GatewayError | null
  readonly fields: ReceivedFields
}
