import { valueOfEach } from '../../core/present.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import type { Exchange } from '../../http/exchange.ts'

/** What may come of a request with a key, or of one that needs one. */
export const outcomes = [
  /** It was the first, and its reply is kept. */
  'kept',
  /** The same, but the reply cannot be repeated, or nobody knows what came of it. */
  'unkept',
  /** The same, but the store did not take what came of it. */
  'lost',
  /** It was not sent to the service, or that asks to be asked again: the key is free. */
  'released',
  'replayed',
  'outstanding',
  'unrepeatable',
  'reused',
  /** It has no key that is one. */
  'invalid',
  /** The store did not answer: it was refused, or passed on. */
  'unavailable',
  'unprotected',
] as const

export type Outcome = (typeof outcomes)[number]

/** Counts what came of requests, and notes it for the log. */
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
