import assert from 'node:assert/strict'
import test from 'node:test'
import { defineMetric } from '../../core/own-metric.ts'
import { WatchedSeries } from './watched-series.ts'

const metric = defineMetric({ type: 'gauge', name: 'queued', help: 'Jobs that wait.', labels: ['tenant'] })
const queued = { name: metric.name, own: metric, entry: metric }
const MANY = 1_000
const a = { tenant: 'a' }

test('watches that a policy never ends do not accumulate, and the latest one is read', () => {
  const watched = new WatchedSeries(null)
  const ends = Array.from({ length: 3 * MANY }, (_, i) => watched.add(queued, a, () => i))
  assert.deepEqual(
    watched.read().map(({ value }) => value),
    [3 * MANY - 1],
  )
  for (const end of ends.slice(-MANY)) end()
  assert.deepEqual(watched.read(), [])
})

test('lists that a policy never ends do not accumulate, and those of other metrics remain', () => {
  const watched = new WatchedSeries(null)
  const up = { name: 'sallyport_cache_entries', own: null, entry: metric }
  for (let i = 0; i < 2 * MANY; i++) watched.addAll(up, () => [{ labels: { tenant: String(i) }, value: 1 }])
  let reads = 0
  for (let i = 0; i < 3 * MANY; i++) watched.addAll(queued, () => ((reads += 1), []))
  assert.equal(watched.read().length, 2 * MANY)
  assert.equal(reads, MANY)
})

test('a series that is watched again after all its watches have ended is read', () => {
  const watched = new WatchedSeries(null)
  watched.add(queued, a, () => 1)()
  watched.add(queued, a, () => 2)
  assert.deepEqual(
    watched.read().map(({ value }) => value),
    [2],
  )
})
