import type { ExchangeNotes, RequestFacts } from '../http/exchange.ts'

/** An exchange as received from the client. */
export interface ReceivedExchange extends RequestFacts, ExchangeNotes {
  /** Values of the header of that name, joined by commas, or null. */
  readonly traceparent: string | null
  readonly tracestate: string | null
  trace: ExchangeNotes['trace']
  record: ExchangeNotes['record']
  noted: ExchangeNotes['noted']
}

/** The outcome of an exchange. */
export interface Outcome {
  readonly status: number
  /** Bytes of content that were sent. */
  readonly bytes: number
  /** Whether the reply was sent completely. */
  readonly whole: boolean
  /** Monotonic milliseconds. */
  readonly end: number
}
