import assert from 'node:assert/strict'
import test from 'node:test'
import { makeCacheEntry } from '../../../test/support/cache-entry.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { ThreadMetrics } from '../../telemetry/metrics/thread-metrics.ts'
import { watchStores } from './cache-counts.ts'
import { MemoryCacheStore } from './memory/memory-store.ts'

test('what the stores of a name hold is added up, until it ends', () => {
  const metrics = new ThreadMetrics(() => {}, new ManualClock())
  const stores = [0, 1].map(() => new MemoryCacheStore(10_000, { add() {} }))
  const told = () =>
    metrics.read({ exemplars: false }).readings.map(({ name, labels, value }) => `${name} ${labels} ${value}`)
  const end = watchStores(metrics, 'memory', () => stores)
  for (const store of stores) store.put('a', makeCacheEntry({ size: 700 }))
  assert.deepEqual(told().toSorted(), [
    'sallyport_cache_bytes store="memory" 1400',
    'sallyport_cache_entries store="memory" 2',
  ])
  stores.pop()
  assert.ok(told().includes('sallyport_cache_bytes store="memory" 700'))
  end()
  assert.deepEqual(told(), [])
})
