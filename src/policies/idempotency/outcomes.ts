import { valueOfEach } from '../../core/present.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import type { Exchange } from '../../http/exchange.ts'

/** The possible outcomes of a request that has, or needs, a key. */
export const outcomes = [
  /** It was the first one, and its reply has been stored. */
  'kept',
  /** The same, but the reply cannot be repeated, or the outcome is unknown. */
  'unkept',
  /** The same, but storing the outcome failed. */
  'lost',
  /** It was not sent to the service, or the service asked for it to be repeated: the key has been released. */
  'released',
  'replayed',
  'outstanding',
  'unrepeatable',
  'reused',
  /** Its key is invalid. */
  'invalid',
  /** The store was unavailable: the request was refused, or passed on. */
  'unavailable',
  'unprotected',
] as const

export type Outcome = (typeof outcomes)[number]

/** Counts the outcomes of requests, and records them for the log. */
export class Outcomes {
  private readonly counters: (outcome: Outcome) => Counter

  constructor(metrics: Metrics) {
    this.counters = valueOfEach(outcomes, (outcome) => metrics.counter('sallyport_idempotency_total', { outcome }))
  }

  note(exchange: Exchange, outcome: Outcome): void {
    this.counters(outcome).add(1)
    exchange.logFields = { ...exchange.logFields, idempotency: outcome }
    exchange.record?.event('sallyport.idempotency', { 'sallyport.idempotency.outcome': outcome })
  }
}
