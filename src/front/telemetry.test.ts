import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { parseConfig } from '../config/parse.ts'
import type { GatewayInput } from '../config/gateway-input.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import { Headers } from '../http/headers.ts'
import { internalExchange } from '../http/internal-exchange.ts'
import { ForwardedClient } from '../listener/trusted-proxies.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { Tracing } from '../telemetry/tracing.ts'
import { policies } from '../policies/index.ts'
import { Telemetry } from './telemetry.ts'

function configOf(input: GatewayInput) {
  return parseConfig(input, { value: input, chain: [], findings: [] })
}

function start(input: GatewayInput) {
  const clock = new ManualClock()
  const output = createMemoryLogger('info', clock)
  const telemetry = new Telemetry({
    config: configOf(input),
    policies,
    output,
    tracing: new Tracing(() => false, clock, null),
    metrics: new ThreadMetrics(() => {}, clock),
    clock,
    sampleKey: 'key',
  })
  return {
    output,
    configure: (next: GatewayInput): void => telemetry.configure(configOf(next), policies),
    recent: () =>
      telemetry.recent({ status: null, route: null, correlationId: null, limit: 10 }).map(({ path }) => path),
    begin: (target: string): ServerExchange => {
      const client = new ForwardedClient('192.0.2.1', 'http', '192.0.2.1', null)
      const headers = Headers.of()
      const exchange = internalExchange({ method: 'GET', target, host: 'a', headers, client, start: clock.now() })
      telemetry.begin(exchange)
      return exchange
    },
    end: (exchange: ServerExchange): void => {
      clock.advance(20)
      telemetry.done(exchange, 200, 0, true, null)
    },
  }
}

test('a new configuration changes the access log from then on', () => {
  const { output, configure, begin, end } = start({})
  end(begin('/a'))
  assert.deepEqual(Object.hasOwn(output.lines[0]!, 'gateway_ms'), false)
  const under = begin('/b')
  configure({ log: { access: { timings: true, slow: '10ms' } } })
  end(under)
  end(begin('/c'))
  const [, late, timed] = output.lines
  assert.deepEqual([late?.['level'], Object.hasOwn(late!, 'gateway_ms')], ['warn', false], 'it was not measured')
  assert.deepEqual([timed?.['level'], timed?.['gateway_ms']], ['warn', 20])
  configure({ log: { access: false } })
  end(begin('/d'))
  assert.equal(output.lines.length, 3)
  configure({})
  end(begin('/e'))
  assert.equal(output.lines.length, 4)
})

test('recent requests are kept up to the configured number', () => {
  const admin = { address: '127.0.0.1:0' }
  const { configure, recent, begin, end } = start({ admin: { ...admin, requests: 3 } })
  for (const path of ['/a', '/b', '/c']) end(begin(path))
  configure({ admin: { ...admin, requests: 2 } })
  assert.deepEqual(recent(), ['/c', '/b'])
  configure({ admin: { ...admin, requests: 0 } })
  end(begin('/d'))
  assert.deepEqual(recent(), [])
  configure({ admin: { ...admin, requests: 4 } })
  end(begin('/e'))
  assert.deepEqual(recent(), ['/e'])
})
