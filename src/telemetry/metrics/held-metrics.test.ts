import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { TopicHandlers } from '../../core/threads.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { createMemoryLogger } from '../memory-logger.ts'
import { metricsDocument } from './document.ts'
import { MetricsHub } from './hub.ts'
import { readingsTopic, ThreadMetrics } from './thread-metrics.ts'

const TEN_MINUTES = 600_000

const labelsOf = (instance: string) => ({ service: 'users', instance, status_class: '2xx' })

/** A hub whose threads count the requests to instances. */
function setUp() {
  const clock = new ManualClock()
  const answers = new TopicHandlers(createMemoryLogger().log)
  const hub = new MetricsHub(answers, answers, clock)
  const pieces = new Set<SharedArrayBuffer>()
  const makeThread = () => {
    const metrics: ThreadMetrics = new ThreadMetrics((change) => {
      if ('memory' in change) pieces.add(change.memory)
      hub.learn(metrics, change)
    }, clock)
    const forget = answers.on(readingsTopic, (asked) => metrics.read(asked))
    return {
      metrics,
      /** Holds the counter of an instance. */
      hold: (instance: string) => {
        const held = metrics.hold()
        const counter = held.counter('sallyport_instance_requests_total', labelsOf(instance))
        return { add: (amount: number) => counter.add(amount), release: () => held.release() }
      },
      die: () => {
        forget()
        hub.retire(metrics)
      },
    }
  }
  /** The metrics of each instance. */
  const report = async (): Promise<Record<string, number>> => {
    const { text } = await metricsDocument(answers, undefined)
    const lines = text.matchAll(/^sallyport_instance_requests_total\{.*instance="(.*?)".*\} (\d+)$/gm)
    return Object.fromEntries([...lines].map(([, instance = '', value]) => [instance, Number(value)]))
  }
  return { clock, answers, makeThread, report, pieces }
}

test('a series that nobody holds is reported for ten more minutes', async () => {
  const { clock, makeThread, report } = setUp()
  const { hold } = makeThread()
  const [stays, goes] = [hold('a'), hold('b')]
  stays.add(1)
  goes.add(2)
  goes.release()
  clock.advance(TEN_MINUTES - 1)
  assert.deepEqual(await report(), { a: 1, b: 2 })
  clock.advance(1)
  assert.deepEqual(await report(), { a: 1 })
})

test('a series held again in time continues, and a later one starts at zero', async () => {
  const { clock, makeThread, report } = setUp()
  const { hold } = makeThread()
  const first = hold('a')
  first.add(1)
  first.release()
  clock.advance(TEN_MINUTES - 1)
  const second = hold('a')
  clock.advance(TEN_MINUTES)
  second.add(1)
  assert.deepEqual(await report(), { a: 2 })
  second.release()
  clock.advance(TEN_MINUTES)
  assert.deepEqual(await report(), {})
  hold('a').add(5)
  assert.deepEqual(await report(), { a: 5 })
})

test('a series is released once its last holder releases it', async () => {
  const { clock, makeThread, report } = setUp()
  const { hold } = makeThread()
  const [one, other] = [hold('a'), hold('a')]
  one.add(1)
  one.release()
  clock.advance(TEN_MINUTES)
  other.add(1)
  assert.deepEqual(await report(), { a: 2 })
  other.release()
  clock.advance(TEN_MINUTES)
  assert.deepEqual(await report(), {})
})

test('a series that was requested without holding it is kept forever', async () => {
  const { clock, makeThread, report } = setUp()
  const { metrics, hold } = makeThread()
  const held = hold('a')
  metrics.counter('sallyport_instance_requests_total', labelsOf('a')).add(1)
  held.release()
  clock.advance(TEN_MINUTES)
  assert.deepEqual(await report(), { a: 1 })
})

test('no count decreases while some threads have dropped an instance and others have not', async () => {
  const { clock, makeThread, report } = setUp()
  const [one, other] = [makeThread().hold('a'), makeThread().hold('a')]
  one.add(600)
  other.add(400)
  assert.deepEqual(await report(), { a: 1000 })
  one.release()
  clock.advance(1)
  other.release()
  clock.advance(TEN_MINUTES - 1)
  assert.deepEqual(await report(), { a: 1000 })
  clock.advance(1)
  assert.deepEqual(await report(), {})
})

test('the counts of a thread that died are reported while others hold the series, and otherwise for ten minutes', async () => {
  const { clock, answers, makeThread, report } = setUp()
  const first = makeThread()
  first.hold('a').add(1)
  first.hold('b').add(2)
  first.metrics.counter('sallyport_refused_requests_total', { code: 'bad-request' }).add(3)
  await report()
  first.die()
  // The one that takes its place begins with a configuration that has no more than this.
  makeThread().hold('b').add(10)
  clock.advance(TEN_MINUTES - 1)
  assert.deepEqual(await report(), { a: 1, b: 12 })
  clock.advance(1)
  assert.deepEqual(await report(), { b: 12 })
  assert.match((await metricsDocument(answers, undefined)).text, /^sallyport_refused_requests_total\{.*\} 3$/m)
})

test('no timer is set where nothing is released for good', () => {
  const clock = new ManualClock()
  const metrics = new ThreadMetrics(() => {}, clock)
  metrics.draft().drop()
  metrics.hold().release()
  metrics.counter('sallyport_instance_requests_total', labelsOf('a'))
  const draft = metrics.draft()
  draft.counter('sallyport_instance_requests_total', labelsOf('a'))
  draft.drop()
  assert.equal(clock.pending, 0)
})

test('a histogram is dropped with its exemplars', async () => {
  const { clock, answers, makeThread } = setUp()
  const held = makeThread().metrics.hold()
  const labels = { service: 'users', instance: 'a' }
  held.histogram('sallyport_instance_duration_seconds', labels).observeExample(0.2, 'abc', 0)
  const text = async () => (await metricsDocument(answers, 'application/openmetrics-text;version=1.0.0')).text
  assert.match(await text(), /trace_id="abc"/)
  held.release()
  clock.advance(TEN_MINUTES)
  assert.doesNotMatch(await text(), /sallyport_instance_duration_seconds/)
})

test('constantly changing instances take no more memory than those of twenty minutes', async () => {
  const { clock, makeThread, report, pieces } = setUp()
  const { metrics } = makeThread()
  for (let minute = 0; minute < 60; minute++) {
    const held = metrics.hold()
    for (let i = 0; i < 500; i++) held.counter('sallyport_instance_requests_total', labelsOf(`${minute}-${i}`)).add(1)
    held.release()
    clock.advance(60_000)
    await Promise.resolve()
  }
  // 500 numbers a minute for 20 minutes, in pieces of 8,192; without their being used again there would be 4 pieces.
  assert.equal(pieces.size, 2)
  assert.equal(Object.keys(await report()).length, 500 * 9)
})

test('a late count for a dropped instance is not counted for another one', async () => {
  const { clock, makeThread, report } = setUp()
  const { hold } = makeThread()
  const late = hold('a')
  late.release()
  clock.advance(2 * TEN_MINUTES)
  hold('b').add(1)
  late.add(100)
  assert.deepEqual(await report(), { b: 1 })
})

const step = fc.record({
  thread: fc.nat({ max: 1 }),
  instance: fc.constantFrom('a', 'b', 'c'),
  type: fc.constantFrom('hold', 'add', 'add', 'release', 'pass', 'die'),
  amount: fc.integer({ min: 1, max: TEN_MINUTES }),
})

test('property: counts never decrease, and are reported for as long as a thread holds them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { clock, makeThread, report } = setUp()
      const begin = () => ({
        thread: makeThread(),
        held: new Map<string, ReturnType<ReturnType<typeof makeThread>['hold']>>(),
      })
      const threads = [begin(), begin()]
      let before: Record<string, number> = {}
      for (const { thread, instance, type, amount } of steps) {
        const { thread: current, held } = threads[thread]!
        if (type === 'hold' && !held.has(instance)) held.set(instance, current.hold(instance))
        if (type === 'add') held.get(instance)?.add(amount)
        if (type === 'release') held.get(instance)?.release()
        if (type === 'release') held.delete(instance)
        if (type === 'pass') clock.advance(amount)
        if (type === 'die') current.die()
        if (type === 'die') threads[thread] = begin()
        const now = await report()
        for (const [name, value] of Object.entries(now)) assert.ok(value >= (before[name] ?? 0))
        for (const { held: all } of threads) for (const name of all.keys()) assert.ok(name in now)
        before = now
      }
      for (const { held } of threads) for (const each of held.values()) each.release()
      clock.advance(TEN_MINUTES)
      assert.deepEqual(await report(), {})
    }),
    { numRuns: 200 },
  )
})
