import type { Http2Peer } from '../support/http2-peer.ts'

/** What a client does that the RFCs regulate, and the expected outcome. */
export interface ConformanceCase {
  /** The RFC and its section. */
  readonly rfc: string
  readonly name: string
  /** The SETTINGS of the client. */
  readonly settings?: Readonly<Record<number, number>>
  /** Sent instead of the preface and SETTINGS. */
  readonly begin?: Buffer
  /** What is sent; a number is a stream whose end is awaited. */
  readonly send: readonly (Buffer | number)[]
  /** The connection ends with this error. Without it the connection stays open. */
  readonly goaway?: number
  /** Streams that are reset, and the codes. */
  readonly resets?: Readonly<Record<number, number>>
  /** Streams that are answered, and the statuses. */
  readonly replies?: Readonly<Record<number, number>>
  /** Further checks, once all of that has arrived. */
  readonly check?: (peer: Http2Peer) => void | Promise<void>
}

/**
 * Static replies, a service that never answers, one that echoes, one that replies with 100,000 bytes, and one that
 * never reads.
 */
export const OWN = '/'
export const HELD = '/held'
export const ECHO = '/echo'
export const LARGE = '/large'
export const UNREAD = '/unread'
