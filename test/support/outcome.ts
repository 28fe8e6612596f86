import type { Instance } from '../../src/services/instance.ts'
import type { Outcome } from '../../src/services/outcome.ts'
import { makeExchange } from './exchange.ts'

const exchange = makeExchange()

/** The outcome of an attempt: a reply with status 200 that took no time, but for what is said of it. */
export function makeOutcome<I extends Instance>(instance: I, said: Partial<Outcome<I>> = {}): Outcome<I> {
  const replied = { phase: 'body', status: 200, error: null, reason: null, fault: 'none' } as const
  return { instance, exchange, ...replied, took: 0, streamed: false, again: false, passing: false, ...said }
}
