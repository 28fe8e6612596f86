import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { ThreadMetrics } from '../../telemetry/metrics/thread-metrics.ts'
import { watchStore } from './cache-counts.ts'
import { MemoryCacheStore } from './memory-store.ts'

test('what a store holds is told of beside others of its name, until it ends', () => {
  const metrics = new ThreadMetrics(() => {}, new ManualClock())
  const store = () => new MemoryCacheStore(1000, { add() {} })
  const told = () => metrics.read({ exemplars: false }).readings.map(({ name, labels }) => `${name} ${labels}`)
  const [endFirst, endSecond] = [watchStore(metrics, 'memory', store()), watchStore(metrics, 'memory', store())]
  assert.deepEqual(told().toSorted(), [
    'sallyport_cache_bytes store="memory"',
    'sallyport_cache_bytes store="memory"',
    'sallyport_cache_entries store="memory"',
    'sallyport_cache_entries store="memory"',
  ])
  endFirst()
  assert.equal(told().length, 2)
  endSecond()
  assert.deepEqual(told(), [])
})
