import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { parseConfig } from '../config/parse.ts'
import type { GatewayInput } from '../config/gateway-input.ts'
import { Headers } from '../http/headers.ts'
import { internalExchange } from '../http/internal-exchange.ts'
import type { Running } from '../http/server-handler.ts'
import { ForwardedClient } from '../listener/trusted-proxies.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { Tunnels } from './tunnels.ts'

const TIME = 8_000

/** Leads each of those routes to that service. */
function routesTo(routes: Readonly<Record<string, string>>) {
  const input: GatewayInput = {
    drainTimeout: `${TIME}ms`,
    services: Object.fromEntries(Object.values(routes).map((name) => [name, { instances: ['http://127.0.0.1:1'] }])),
    routes: Object.entries(routes).map(([id, service]) => ({ id, match: { path: `/${id}` }, service })),
  }
  return parseConfig(input, { value: input, chain: [], findings: [] })
}

function start() {
  const clock = new ManualClock()
  const begun = clock.now()
  const { log, lines } = createMemoryLogger()
  const all = new Set<Running>()
  const ended: [name: string, after: number][] = []
  const metrics = new ThreadMetrics(() => {}, clock)
  const left = new Set<Running>()
  const tunnels = new Tunnels({ running: () => all, left: () => left, clock, metrics, log })
  const headers = Headers.of()
  const client = new ForwardedClient('192.0.2.1', 'http', '192.0.2.1', null)
  return {
    clock,
    tunnels,
    ended,
    lines,
    /** Something that goes on; `end` says what becomes of it when it has to end. */
    add: (name: string, route: string, service: string | null, lasts = true, end: Running['end'] = () => 'ended') => {
      const exchange = internalExchange({ method: 'GET', target: '/', host: 'a', headers, client, start: clock.now() })
      exchange.route = { id: route, pattern: '/', service }
      const running: Running = {
        exchange,
        lasts,
        end() {
          const what = end()
          if (what !== 'ended') return what
          all.delete(running)
          ended.push([name, clock.now() - begun])
          return what
        },
      }
      all.add(running)
      return running
    },
    /** Those whose listener is gone. */
    left,
  }
}

test('tunnels whose route is unchanged stay, and others end evenly over the drain time', () => {
  const { clock, tunnels, ended, lines, add } = start()
  add('stays', 'a', 'one')
  add('own', 'sallyport:metrics', null)
  for (const name of ['gone 1', 'gone 2']) add(name, 'b', 'one')
  for (const name of ['elsewhere 1', 'elsewhere 2']) add(name, 'c', 'one')
  tunnels.keep(routesTo({ a: 'one', c: 'two' }))
  assert.deepEqual(ended, [])
  clock.advance(TIME)
  assert.deepEqual(ended, [
    ['gone 1', 2000],
    ['gone 2', 4000],
    ['elsewhere 1', 6000],
    ['elsewhere 2', 8000],
  ])
  assert.deepEqual([lines[0]?.['tunnels'], lines[0]?.['within_ms']], [4, TIME])
  clock.advance(TIME)
  assert.equal(ended.length, 4)
})

test('exchanges that are not long-lived have the full drain time', () => {
  const { clock, tunnels, ended, add } = start()
  add('upload', 'a', 'one', false)
  add('socket', 'a', 'one')
  add('other socket', 'a', 'one')
  tunnels.keep(routesTo({}))
  clock.advance(TIME - 1)
  assert.deepEqual(ended, [['socket', 4000]])
  clock.advance(1)
  assert.deepEqual(
    new Map(ended.slice(1)),
    new Map([
      ['upload', 8000],
      ['other socket', 8000],
    ]),
  )
})

test('further changes do not delay tunnels that have to end, nor end those whose route is back', () => {
  const { clock, tunnels, ended, add } = start()
  add('saved', 'a', 'one')
  add('goes', 'b', 'one')
  tunnels.keep(routesTo({}))
  for (let i = 0; i < 7; i++) {
    clock.advance(500)
    tunnels.keep(routesTo({ a: 'one' }))
  }
  assert.deepEqual(ended, [])
  clock.advance(TIME)
  assert.deepEqual(ended, [['goes', 8000]])
})

test('a tunnel still waiting for its service is checked again until it ends', () => {
  const { clock, tunnels, ended, add } = start()
  const says: ReturnType<Running['end']>[] = ['waits', 'waits', 'ended']
  add('late stream', 'a', 'one', false, () => says.shift()!)
  add('answered', 'a', 'one', false, () => 'over')
  tunnels.keep(routesTo({}))
  clock.advance(TIME)
  assert.deepEqual(ended, [])
  clock.advance(2000)
  assert.deepEqual(ended, [['late stream', 10_000]])
  assert.equal(clock.pending, 0)
})

test('without drain time all tunnels end at once', () => {
  const { tunnels, ended, add } = start()
  for (const name of ['socket', 'other socket']) add(name, 'a', 'one')
  tunnels.keep({ ...routesTo({}), drainTimeout: 0 })
  assert.deepEqual(ended, [
    ['socket', 0],
    ['other socket', 0],
  ])
})

test('on close nothing more is ended', () => {
  const { clock, tunnels, ended, add } = start()
  add('socket', 'a', 'one')
  tunnels.keep(routesTo({}))
  tunnels.close()
  clock.advance(TIME)
  assert.deepEqual(ended, [])
})

test('tunnels over a removed listener end before it cuts them off, even if their route stays', () => {
  const { clock, tunnels, ended, add, left } = start()
  add('stays', 'a', 'one')
  for (const name of ['first', 'second', 'third']) left.add(add(name, 'a', 'one'))
  left.add(add('plain', 'a', 'one', false))
  tunnels.keep(routesTo({ a: 'one' }))
  clock.advance(3000)
  // It puts off nothing.
  tunnels.keep(routesTo({ a: 'one' }))
  clock.advance(TIME)
  assert.deepEqual(ended, [
    ['first', 2000],
    ['second', 4000],
    ['third', 6000],
  ])
})
