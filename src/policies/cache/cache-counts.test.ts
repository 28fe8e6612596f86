import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { ThreadMetrics } from '../../telemetry/metrics/thread-metrics.ts'
import { watchStores } from './cache-counts.ts'
import { SeenReplies } from './seen-replies.ts'
import type { CacheStore } from './store.ts'

test('what the stores of a name hold is added up, until it ends', () => {
  const metrics = new ThreadMetrics(() => {}, new ManualClock())
  const stores: CacheStore[] = [1, 1].map((entries) =>
    Object.assign(new SeenReplies(() => []), { usage: () => ({ entries, bytes: 700 }) }),
  )
  // What threads have in common is read elsewhere.
  stores.unshift(new SeenReplies(() => []))
  const report = () =>
    metrics.read({ exemplars: false }).readings.map(({ name, labels, value }) => `${name} ${labels} ${value}`)
  const end = watchStores(metrics, 'memory', () => stores)
  assert.deepEqual(report().toSorted(), [
    'sallyport_cache_bytes store="memory" 1400',
    'sallyport_cache_entries store="memory" 2',
  ])
  stores.pop()
  assert.ok(report().includes('sallyport_cache_bytes store="memory" 700'))
  end()
  assert.deepEqual(report(), [])
})
