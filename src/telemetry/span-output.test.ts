import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startCollector } from '../../test/support/collector.ts'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { startRawService } from '../../test/support/peer.ts'
import { newSpanId, newTraceId } from '../http/trace-ids.ts'
import { SAMPLED, Trace } from '../http/trace.ts'
import { createMemoryLogger } from './memory-logger.ts'
import { SpanOutput } from './span-output.ts'

const SETTINGS = { queueSize: 2, batchSize: 2, delay: 60_000, timeout: 1000 }

/** An output to a collector, and what writes the span of an exchange to it. */
function setUp(t: TestContext, environment: Readonly<Record<string, string>>) {
  Object.assign(process.env, environment)
  for (const name of Object.keys(environment)) t.after(() => delete process.env[name])
  const clock = new ManualClock()
  const log = createMemoryLogger('debug', clock)
  const output = new SpanOutput(SETTINGS, '1.0.0', log.log, clock)
  const write = (): void => {
    const trace = new Trace(newTraceId(), '', newSpanId(), SAMPLED, '')
    const exchange = { ...makeExchange({ trace }), traceparent: null, tracestate: null, protocol: '1.1' as const }
    output.write(exchange, { status: 200, bytes: 0, whole: true, end: clock.now() })
  }
  return { clock, log, output, write }
}

test('only spans that do not fit into the queue are dropped, counted and logged', async (t) => {
  const collector = await startCollector(t)
  const { clock, log, output, write } = setUp(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  // Two are on their way at once, two wait, and there is no room for the others.
  for (let i = 0; i < 7; i++) write()
  assert.deepEqual(output.counts, { exported: 0, failed: 0, dropped: 3 })
  clock.advance(60_000)
  write()
  await output.close()
  assert.deepEqual(output.counts, { exported: 4, failed: 0, dropped: 4 })
  assert.equal(collector.spans.length, 4)
  assert.deepEqual(
    log.lines.map((line) => line['spans']),
    [1, 3],
  )
  assert.equal(clock.pending, 0)
})

test('shutdown does not wait long for a collector that does not answer', async (t) => {
  const collector = await startRawService(t)
  const { clock, log, output, write } = setUp(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
  })
  write()
  const closed = output.close()
  await (await collector.accept()).request()
  clock.advance(3000)
  await closed
  assert.equal(output.gaveUp, true)
  assert.deepEqual(output.counts, { exported: 0, failed: 1, dropped: 0 })
  assert.equal(log.lines[0]?.['spans'], 1)
})
