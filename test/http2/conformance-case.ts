import type { Http2Peer } from '../support/http2-peer.ts'

/** What a client does that the RFCs say something of, and what has to come of it. */
export interface ConformanceCase {
  /** The RFC and its section. */
  readonly rfc: string
  readonly name: string
  /** Of the client. */
  readonly settings?: Readonly<Record<number, number>>
  /** What is sent in place of the preface and SETTINGS. */
  readonly begin?: Buffer
  /** What is sent; a number is a stream whose end is waited for. */
  readonly send: readonly (Buffer | number)[]
  /** The connection ends with this error. Without it the connection goes on. */
  readonly goaway?: number
  /** Streams that are reset, and with what. */
  readonly resets?: Readonly<Record<number, number>>
  /** Streams that are answered, and with which status. */
  readonly replies?: Readonly<Record<number, number>>
  /** What else is to be seen, once all of that has come. */
  readonly check?: (peer: Http2Peer) => void | Promise<void>
}

/** Static replies, a service that never answers, one that answers with what it was sent, one that answers with 100,000 bytes, and what is never read. */
export const OWN = '/'
export const HELD = '/held'
export const ECHO = '/echo'
export const LARGE = '/large'
export const UNREAD = '/unread'
