import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { TopicHandlers } from '../../core/threads.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { MetricsHub } from '../../telemetry/metrics/hub.ts'
import { ThreadMetrics } from '../../telemetry/metrics/thread-metrics.ts'
import { type Window, Windows } from './windows.ts'

/** Two threads that count, and what an operator sees of that. */
function twoThreads() {
  const clock = new ManualClock()
  const answers = new TopicHandlers(createMemoryLogger().log)
  const hub = new MetricsHub(answers, answers, clock)
  const names = ['one', 'other'] as const
  const threads = names.map((name) => new ThreadMetrics((change) => hub.learn(thing(name), change), clock))
  let looks = 0
  const follow: MetricsHub['follow'] = (wanted, meaningOf) => {
    const rises = hub.follow(wanted, meaningOf)
    const look = rises.look.bind(rises)
    rises.look = (told) => {
      looks++
      look(told)
    }
    return rises
  }
  const windows = new Windows(follow, clock, () => ({ generation: 3, health: 7 }))
  const watch = (): Window[] => {
    const seen: Window[] = []
    windows.watch((json) => seen.push(JSON.parse(json) as Window))
    return seen
  }
  const retire = (name: (typeof names)[number]): void => hub.retire(thing(name))
  return { clock, threads, windows, watch, retire, looks: () => looks }
}

const things = new Map<string, object>()

function thing(name: string): object {
  const known = things.get(name) ?? {}
  things.set(name, known)
  return known
}

function lengthOf(windows: Windows): number {
  return (JSON.parse(windows.recent) as { history: { at: number[] } }).history.at.length
}

/** New series are told of before a thread does anything else. */
const report = (): Promise<void> => Promise.resolve()

test('a window has what all threads counted in its second', async () => {
  const { clock, threads, watch } = twoThreads()
  const took = threads.map((thread) => [
    thread.histogram('sallyport_route_duration_seconds', { route: 'books', outcome: 'well' }),
    thread.histogram('sallyport_route_duration_seconds', { route: 'books', outcome: 'failed' }),
  ])
  const [attempts] = threads.map((thread) =>
    thread.counter('sallyport_instance_requests_total', { service: 'shop', instance: 'a"b:80', status_class: 'error' }),
  )
  const [received] = threads.map((thread) =>
    thread.counter('sallyport_listener_requests_total', { listener: 'public' }),
  )
  await report()
  for (const [well, failed] of took) {
    well!.observe(0.004)
    failed!.observe(20)
  }
  const seen = watch()
  clock.advance(1000)
  assert.deepEqual(Object.keys(seen[0]!.routes), [], 'earlier counts are not included')
  took[0]![0]!.observe(0.004)
  took[1]![0]!.observe(0.004)
  took[1]![1]!.observe(20)
  attempts!.add(3)
  received!.add(4)
  clock.advance(1000)
  const [requests, refused, failed, seconds, ...buckets] = seen[1]!.routes['books']!
  assert.deepEqual([requests, refused, failed], [3, 0, 1])
  assert.ok(Math.abs(seconds! - 20.008) < 1e-6)
  assert.deepEqual([buckets[2], buckets.at(-1)], [2, 1])
  assert.deepEqual([seen[1]!.generation, seen[1]!.health], [3, 7])
  assert.deepEqual(seen[1]!.instances['shop']!['a"b:80']!.slice(0, 3), [3, 0, 3])
  assert.deepEqual([seen[1]!.seconds, seen[1]!.listeners], [1, { public: 4 }])
})

test('a window includes counts of threads that have ended, and of new ones', async () => {
  const { clock, threads, watch, retire } = twoThreads()
  const seen = watch()
  const [one, other] = threads.map((thread) =>
    thread.histogram('sallyport_route_duration_seconds', { route: 'books', outcome: 'refused' }),
  )
  await report()
  one!.observe(0.004)
  one!.observe(0.004)
  other!.observe(0)
  retire('one')
  clock.advance(1000)
  assert.deepEqual(
    seen[0]!.routes,
    { books: [3, 3, 0, 0.008, 1, 0, 2] },
    'buckets end with the last one that is not empty',
  )
  other!.observe(0)
  clock.advance(1000)
  assert.deepEqual(seen[1]!.routes, { books: [1, 1, 0, 0, 1] })
  clock.advance(1000)
  assert.deepEqual(seen[2]!.routes, {}, 'unchanged values are omitted')
})

test('nothing is computed while nobody watches, and a minute is kept', () => {
  const { clock, windows, looks } = twoThreads()
  clock.advance(60_000)
  assert.equal(looks(), 0)
  const unwatch = windows.watch(() => {})
  clock.advance(100_000)
  assert.equal(lengthOf(windows), 60)
  unwatch()
  const before = looks()
  clock.advance(30_000)
  assert.equal(looks(), before)
  assert.equal(lengthOf(windows), 30)
})
