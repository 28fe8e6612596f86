/** The documents beside those that prom-client makes of the same observations. */
import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client'
import { ManualClock } from '../../testing/manual-clock.ts'
import { metricTable } from '../../core/metric-table.ts'
import { contentTypes, type Format, writeMetrics } from './exposition.ts'
import { type SeriesChange, ThreadMetrics } from './thread-metrics.ts'
import { Totals } from './totals.ts'

const text = fc.oneof(fc.string(), fc.constantFrom('a"b', 'back\\slash', 'two\nlines', 'ä€'))
const seconds = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(0, 0.001, 0.0025, 0.5))
const given = fc.record({
  counts: fc.array(fc.record({ code: text, amount: fc.nat() }), { minLength: 1 }),
  connections: fc.nat(),
  observations: fc.array(fc.record({ service: text, seconds }), { minLength: 1 }),
})

/** What both libraries are given. */
interface Given {
  readonly counts: readonly { readonly code: string; readonly amount: number }[]
  readonly connections: number
  readonly observations: readonly { readonly service: string; readonly seconds: number }[]
}

async function byReference({ counts, connections, observations }: Given, format: Format): Promise<string> {
  const registry = format === 'openmetrics' ? openMetricsRegistry() : new Registry()
  const family = (name: keyof typeof metricTable) => ({
    name,
    help: metricTable[name].help,
    labelNames: [...metricTable[name].labels],
    registers: [registry],
  })
  const counter = new Counter(family('sallyport_refused_requests_total'))
  const gauge = new Gauge(family('http_active_connections'))
  const histogram = new Histogram({
    ...family('sallyport_gateway_duration_seconds'),
    buckets: [...metricTable.sallyport_gateway_duration_seconds.buckets],
  })
  for (const { code, amount } of counts) counter.inc({ code }, amount)
  gauge.set(connections)
  for (const { service, seconds: each } of observations) histogram.observe({ service }, each)
  return registry.metrics()
}

function openMetricsRegistry(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>()
  registry.setContentType(contentTypes.openmetrics)
  return registry
}

async function byOwn({ counts, connections, observations }: Given, format: Format): Promise<string> {
  const totals = new Totals()
  const announced: SeriesChange[] = []
  const metrics = new ThreadMetrics((series) => announced.push(series), new ManualClock())
  for (const { code, amount } of counts) metrics.counter('sallyport_refused_requests_total', { code }).add(amount)
  metrics.watch('http_active_connections', {}, () => connections)
  for (const { service, seconds: each } of observations)
    metrics.histogram('sallyport_gateway_duration_seconds', { service }).observe(each)
  // New series are announced at the end of the turn.
  await Promise.resolve()
  for (const change of announced)
    for (const place of 'places' in change ? change.places : [])
      totals.add({ ...place, cells: new Float64Array('memory' in change ? change.memory : new SharedArrayBuffer(0)) })
  for (const reading of metrics.read({ exemplars: false }).readings) totals.addReading(reading)
  return writeMetrics(totals, format)
}

/** The lines in one order, with labels in one order and bounds in one spelling. */
function normalized(document: string): string[] {
  const lines = document.split('\n').filter((line) => line !== '')
  return lines.map(normalizeLine).toSorted()
}

function normalizeLine(line: string): string {
  const match = /^(\w+)\{(.*)\} (\S+)$/s.exec(line)
  if (match === null) return line
  const [, name, labels = '', value] = match
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([pair, label, bound]) =>
    label === 'le' && bound !== '+Inf' ? `le="${Number(bound)}"` : pair,
  )
  return `${name}{${pairs.toSorted().join(',')}} ${value}`
}

for (const format of ['prometheus', 'openmetrics'] as const)
  test(`property: for ${format}, the writer agrees with the reference`, async () => {
    await fc.assert(
      fc.asyncProperty(given, async (parts) => {
        assert.deepEqual(normalized(await byOwn(parts, format)), normalized(await byReference(parts, format)))
      }),
    )
  })
