import type { GatewayError } from '../core/errors.ts'
import type { ReceivedFields } from './received-fields.ts'

/** The HTTP version that a client uses. */
export type HttpVersion = '1.0' | '1.1' | '2'

/** The head of a request as read from the connection; valid until the next one is read. */
export interface ReceivedHead {
  readonly protocol: HttpVersion
  readonly method: string
  /** Path with query, or "*" for OPTIONS. */
  readonly target: string
  /** Host and port in lower case; "" only for HTTP/1.0. */
  readonly authority: string
  /** The protocol that the client asks to upgrade to (RFC 9110 section 7.8); null if it does not. */
  readonly upgrade: string | null
  /** The client waits for 100 (Continue) before it sends the content (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean
  /** Why the request is refused although it was understood; null if it is not. */
  readonly refusal: GatewayError | null
  readonly fields: ReceivedFields
}
