import assert from 'node:assert/strict'
import test from 'node:test'
import { TopicHandlers, type Threads } from '../../core/threads.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { createMemoryLogger } from '../memory-logger.ts'
import { metricsDocument } from './document.ts'
import { MetricsHub } from './hub.ts'
import { readingsTopic, ThreadMetrics } from './thread-metrics.ts'

const OPENMETRICS = 'application/openmetrics-text;version=1.0.0'

/** A hub with one thread. */
function setUp() {
  const answers = new TopicHandlers(createMemoryLogger().log)
  let gatherings = 0
  answers.on(readingsTopic, () => {
    gatherings++
    return { readings: [], exemplars: [] }
  })
  const hub = new MetricsHub(answers, answers, new ManualClock())
  const makeThread = (clock = new ManualClock()): ThreadMetrics => {
    const metrics = new ThreadMetrics((series) => hub.learn(metrics, series), clock)
    answers.on(readingsTopic, (asked) => metrics.read(asked))
    return metrics
  }
  return { answers, hub, makeThread, gatherings: () => gatherings }
}

const get = { method: 'GET', endpoint: '/a', service: 'b' }

test('of several watchers with the same name and labels, the last one is read until it ends', async () => {
  const { makeThread } = setUp()
  const metrics = makeThread()
  const values = () => metrics.read({ exemplars: false }).readings.map(({ value }) => value)
  const endFirst = metrics.watch('sallyport_store_up', { store: 'redis' }, () => 1)
  const endSecond = metrics.watch('sallyport_store_up', { store: 'redis' }, () => 2)
  assert.deepEqual(values(), [2])
  endSecond()
  assert.deepEqual(values(), [1])
  const endThird = metrics.watch('sallyport_store_up', { store: 'redis' }, () => 3)
  endFirst()
  assert.deepEqual(values(), [3])
  endThird()
  assert.deepEqual(values(), [])
})

test('values from several sources with the same labels are summed, each until its source ends', async () => {
  const { answers, makeThread } = setUp()
  const metrics = makeThread()
  const tell = (value: number) =>
    metrics.watchAll('sallyport_cache_entries', () => [{ labels: { store: 'memory' }, value }])
  const [endFirst] = [tell(1), tell(2)]
  const text = async () => (await metricsDocument(answers, undefined)).text
  assert.match(await text(), /^sallyport_cache_entries\{store="memory"\} 3$/m)
  endFirst()
  assert.match(await text(), /^sallyport_cache_entries\{store="memory"\} 2$/m)
})

test('counters and histograms are summed over all threads', async () => {
  const { answers, makeThread } = setUp()
  for (const metrics of [makeThread(), makeThread()]) {
    metrics.counter('http_requests_total', { ...get, status: '200' }).add(2)
    metrics.histogram('http_request_duration_seconds', get).observe(0.002)
    metrics.watch('http_active_connections', {}, () => 5)
  }
  const { text } = await metricsDocument(answers, undefined)
  assert.match(text, /^http_requests_total\{method="GET",endpoint="\/a",status="200",service="b"\} 4$/m)
  assert.match(text, /^http_request_duration_seconds_bucket\{method="GET",endpoint="\/a",service="b",le="0.001"\} 0$/m)
  assert.match(text, /^http_request_duration_seconds_bucket\{method="GET",endpoint="\/a",service="b",le="0.0025"\} 2$/m)
  assert.match(text, /^http_request_duration_seconds_bucket\{method="GET",endpoint="\/a",service="b",le="\+Inf"\} 2$/m)
  assert.match(text, /^http_request_duration_seconds_sum\{method="GET",endpoint="\/a",service="b"\} 0.004$/m)
  assert.match(text, /^http_request_duration_seconds_count\{method="GET",endpoint="\/a",service="b"\} 2$/m)
  assert.match(text, /^http_active_connections 10$/m)
})

test('the counts of a thread that has ended are kept', async () => {
  const { answers, hub, makeThread } = setUp()
  for (let i = 0; i < 3; i++) {
    const metrics = makeThread()
    metrics.counter('http_requests_total', { ...get, status: '200' }).add(1)
    metrics.histogram('http_request_duration_seconds', get).observe(20)
    await metricsDocument(answers, undefined)
    hub.retire(metrics)
  }
  const { text } = await metricsDocument(answers, undefined)
  assert.match(text, /^http_requests_total\{.*\} 3$/m)
  assert.match(text, /^http_request_duration_seconds_bucket\{.*le="10"\} 0$/m)
  assert.match(text, /^http_request_duration_seconds_sum\{.*\} 60$/m)
})

test('the counts of a thread too busy to answer are included', async () => {
  const { answers, hub } = setUp()
  const busy = new ThreadMetrics((series) => hub.learn(busy, series), new ManualClock())
  const counter = busy.counter('http_requests_total', { ...get, status: '200' })
  await metricsDocument(answers, undefined)
  counter.add(3)
  const { text } = await metricsDocument(answers, undefined)
  assert.match(text, /^http_requests_total\{.*\} 3$/m)
})

test('a metric that is to show the minimum over all threads does', async () => {
  const { answers, makeThread } = setUp()
  for (const up of [1, 0, 1]) makeThread().watch('sallyport_store_up', { store: 'redis' }, () => up)
  for (let i = 0; i < 2; i++) makeThread().watch('sallyport_store_up', { store: 'other' }, () => 1)
  const { text } = await metricsDocument(answers, undefined)
  assert.match(text, /^sallyport_store_up\{store="redis"\} 0$/m)
  assert.match(text, /^sallyport_store_up\{store="other"\} 1$/m)
})

test('the same name and labels share one series', async () => {
  const { answers, makeThread } = setUp()
  const metrics = makeThread()
  for (let i = 0; i < 2; i++) metrics.counter('http_requests_total', { ...get, status: '200' }).add(1)
  for (let i = 0; i < 2; i++) metrics.histogram('http_request_duration_seconds', get).observe(1)
  const { text } = await metricsDocument(answers, undefined)
  assert.match(text, /^http_requests_total\{.*\} 2$/m)
  assert.match(text, /^http_request_duration_seconds_count\{.*\} 2$/m)
})

test('metrics may need more than one block of memory', async () => {
  const { answers, makeThread } = setUp()
  const metrics = makeThread()
  for (let i = 0; i < 2000; i++)
    metrics.histogram('http_request_duration_seconds', { ...get, endpoint: `/${i}` }).observe(i)
  const { text } = await metricsDocument(answers, undefined)
  for (let i = 0; i < 2000; i++) assert.ok(text.includes(`_sum{method="GET",endpoint="/${i}",service="b"} ${i}\n`))
})

test('an exemplar keeps its time, as Prometheus refuses one that is older than before', async () => {
  const { answers, makeThread } = setUp()
  const clock = new ManualClock()
  const duration = makeThread(clock).histogram('http_request_duration_seconds', get)
  const exemplars = async () => {
    const { text } = await metricsDocument(answers, OPENMETRICS)
    return text.split('\n').filter((line) => line.includes(' # '))
  }
  duration.observeExample(0.002, 'aaaa', clock.now())
  const before = await exemplars()
  clock.step(-1)
  assert.deepEqual(await exemplars(), before)
  clock.advance(1000)
  duration.observeExample(0.002, 'bbbb', clock.now())
  assert.match((await exemplars()).join(), new RegExp(`"bbbb"} 0.002 ${clock.wall() / 1000}`))
})

test('OpenMetrics shows the newest exemplar of each bucket over all threads, and Prometheus none', async () => {
  const { answers, makeThread } = setUp()
  const clock = new ManualClock()
  const [one, other] = [makeThread(clock), makeThread(clock)]
  const duration = (metrics: ThreadMetrics) => metrics.histogram('http_request_duration_seconds', get)
  duration(one).observeExample(0.002, 'aaaa', clock.now())
  duration(one).observeExample(0.003, 'bbbb', clock.now())
  clock.advance(1500)
  duration(other).observeExample(0.0021, 'cccc', clock.now())
  duration(other).observe(0.0022)
  const { text, contentType } = await metricsDocument(answers, OPENMETRICS)
  assert.match(contentType, /openmetrics/)
  const wall = clock.wall() / 1000
  const lines = text.split('\n').filter((line) => line.includes('_bucket'))
  const examples = lines.filter((line) => line.includes(' # ')).map((line) => line.replace(/^.*le=/, ''))
  assert.deepEqual(examples, [
    `"0.0025"} 3 # {trace_id="cccc"} 0.0021 ${wall}`,
    `"0.005"} 4 # {trace_id="bbbb"} 0.003 ${wall - 1.5}`,
  ])
  assert.ok(!(await metricsDocument(answers, undefined)).text.includes('trace_id'))
})

test('OpenMetrics names a counter without its suffix, writes whole bounds with a fraction, and ends with EOF', async () => {
  const { answers, makeThread } = setUp()
  const metrics = makeThread()
  metrics.counter('http_requests_total', { ...get, status: '200' }).add(1)
  metrics.histogram('http_request_duration_seconds', get).observe(1)
  const { text } = await metricsDocument(answers, OPENMETRICS)
  assert.match(text, /^# TYPE http_requests counter$/m)
  assert.match(text, /^http_requests_total\{/m)
  assert.match(text, /le="1.0"\} 1$/m)
  assert.ok(text.endsWith('\n# EOF\n'))
})

test('concurrent requests for metrics share one document', async () => {
  const { answers, gatherings } = setUp()
  await Promise.all([1, 2, 3, 4].map(() => metricsDocument(answers, undefined)))
  assert.equal(gatherings(), 1)
  await metricsDocument(answers, undefined)
  assert.equal(gatherings(), 2)
})

test('labels are escaped', async () => {
  const { answers, makeThread } = setUp()
  makeThread().counter('http_requests_total', { ...get, endpoint: 'a"b\\c\nd', status: '200' })
  const { text } = await metricsDocument(answers, undefined)
  assert.ok(text.includes('endpoint="a\\"b\\\\c\\nd"'))
})

test('metrics are temporarily unavailable if the main thread does not answer', async () => {
  const silent: Threads = { askAll: () => Promise.resolve([]), askMain: () => Promise.resolve([]) }
  await assert.rejects(metricsDocument(silent, undefined), { code: 'too-busy' })
})
