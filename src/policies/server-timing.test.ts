import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { applyPolicy, makeToolbox } from '../../test/support/policy.ts'
import { GatewayError } from '../core/errors.ts'
import type { Exchange } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { serverTiming } from './server-timing.ts'

/** Server-Timing of a reply that `answer` makes. */
async function timingOf(answer: (exchange: Exchange, clock: ManualClock) => Reply | Promise<Reply>): Promise<string[]> {
  const clock = new ManualClock()
  const exchange = makeExchange({ start: clock.now() })
  const handle = applyPolicy(serverTiming, {}, (each) => answer(each, clock), makeToolbox({ clock }))
  const reply = await handle(exchange)
  return reply.headers.getAll('Server-Timing')
}

const empty = (): Reply => new Reply(204, Headers.of(), null)

test('the client is told what the gateway took, and what all attempts at the service did', async () => {
  const told = await timingOf((exchange, clock) => {
    exchange.instance = '10.0.0.8:8001'
    exchange.serviceTime = 130
    clock.advance(135)
    return empty()
  })
  assert.deepEqual(told, ['gateway;dur=5, service;dur=130'])
})

test('where no service was asked nothing is said of one', async () => {
  const told = await timingOf((_, clock) => {
    clock.advance(1)
    return empty()
  })
  assert.deepEqual(told, ['gateway;dur=1'])
})

test('errors have it too', async () => {
  const told = await timingOf(() => {
    throw new GatewayError('not-found')
  })
  assert.deepEqual(told, ['gateway;dur=0'])
})

test('what the service says itself stays before it', async () => {
  const told = await timingOf(() => new Reply(200, Headers.of([['Server-Timing', 'db;dur=53']]), null))
  assert.deepEqual(told, ['db;dur=53', 'gateway;dur=0'])
})
