import type { Instance } from '../../src/services/instance.ts'
import type { Outcome } from '../../src/services/outcome.ts'
import { makeExchange } from './exchange.ts'

const exchange = makeExchange()

/** An instance whose properties do not matter. */
export const someInstance: Instance = {
  address: '192.0.2.1:80',
  host: '192.0.2.1',
  port: 80,
  weight: 1,
  inFlight: 0,
  slot: 0,
}

/** The outcome of an attempt: by default a reply with status 200 that took no time. */
export function makeOutcome<I extends Instance>(instance: I, said: Partial<Outcome<I>> = {}): Outcome<I> {
  const replied = { phase: 'body', status: 200, grpcStatus: null, error: null, reason: null, fault: 'none' } as const
  return { instance, exchange, ...replied, took: 0, streamed: false, again: false, passing: false, ...said }
}
