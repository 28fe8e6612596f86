import type { ExchangeNotes, RequestFacts } from '../http/exchange.ts'

/** An exchange as it came off the wire. */
export interface ReceivedExchange extends RequestFacts, ExchangeNotes {
  /** Values of the fields of that name, joined by commas, or null. */
  readonly traceparent: string | null
  readonly tracestate: string | null
  trace: ExchangeNotes['trace']
  record: ExchangeNotes['record']
  noted: ExchangeNotes['noted']
}

/** How an exchange ended. */
export interface Outcome {
  readonly status: number
  /** Octets of content that were sent. */
  readonly bytes: number
  /** Whether the reply was sent whole. */
  readonly whole: boolean
  /** Monotonic milliseconds. */
  readonly end: number
}
