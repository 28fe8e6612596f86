import assert from 'node:assert/strict'
import test from 'node:test'
import { startCollector } from '../../test/support/collector.ts'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { newSpanId, newTraceId } from '../core/trace-ids.ts'
import { SAMPLED, Trace } from '../core/trace.ts'
import { createMemoryLogger } from './memory-logger.ts'
import { SpanOutput } from './span-output.ts'

const SETTINGS = { queueSize: 2, batchSize: 2, delay: 60_000, timeout: 1000 }

test('what finds no room in the queue is dropped, counted and logged, and nothing else is', async (t) => {
  const collector = await startCollector(t)
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url
  t.after(() => delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'])
  const clock = new ManualClock()
  const log = createMemoryLogger('debug', clock)
  const output = new SpanOutput(SETTINGS, '1.0.0', log.log, clock)
  const write = (): void => {
    const trace = new Trace(newTraceId(), '', newSpanId(), SAMPLED, '')
    const exchange = { ...makeExchange({ trace }), traceparent: null, tracestate: null, minor: 1 }
    output.write(exchange, { status: 200, bytes: 0, whole: true, end: clock.now() })
  }
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
