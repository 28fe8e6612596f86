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

test('Server-Timing has the time of the gateway and of all attempts at the service', async () => {
  const reported = await timingOf((exchange, clock) => {
    exchange.instance = '10.0.0.8:8001'
    exchange.serviceTime = 130
    clock.advance(135)
    return empty()
  })
  assert.deepEqual(reported, ['gateway;dur=5, service;dur=130'])
})

test('without a service only the time of the gateway is sent', async () => {
  const reported = await timingOf((_, clock) => {
    clock.advance(1)
    return empty()
  })
  assert.deepEqual(reported, ['gateway;dur=1'])
})

test('error replies have Server-Timing as well', async () => {
  const reported = await timingOf(() => {
    throw new GatewayError('not-found')
  })
  assert.deepEqual(reported, ['gateway;dur=0'])
})

test('Server-Timing of the service is kept', async () => {
  const reported = await timingOf(() => new Reply(200, Headers.of([['Server-Timing', 'db;dur=53']]), null))
  assert.deepEqual(reported, ['db;dur=53', 'gateway;dur=0'])
})
