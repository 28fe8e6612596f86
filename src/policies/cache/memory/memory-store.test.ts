import assert from 'node:assert/strict'
import test from 'node:test'
import { makeCacheEntry } from '../../../../test/support/cache-entry.ts'
import { TestCounter } from '../../../../test/support/test-counter.ts'
import { Headers } from '../../../http/headers.ts'
import { MemoryCacheStore } from './memory-store.ts'

const ASKED = Headers.of()

test('stays within its limit, and those used least recently go first', () => {
  const evictions = new TestCounter()
  const store = new MemoryCacheStore(10_000, evictions)
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) store.put(key, makeCacheEntry({ url: key }))
  assert.deepEqual(store.usage(), { entries: 10, bytes: 10_000 })
  assert.equal(evictions.total, 0)
  store.find('a', 'a', ASKED)
  store.put('k', makeCacheEntry({ url: 'k' }))
  assert.deepEqual(store.usage(), { entries: 10, bytes: 10_000 })
  assert.equal(evictions.total, 1)
  assert.notEqual(store.find('a', 'a', ASKED), 'uri-miss')
  assert.equal(store.find('b', 'b', ASKED), 'uri-miss')
})

test('takes less from now on, those used least recently going first, however many they are', async () => {
  const evictions = new TestCounter()
  const store = new MemoryCacheStore(10_000_000, evictions)
  for (let i = 0; i < 2_000; i++) store.put(String(i), makeCacheEntry({ url: String(i) }))
  store.resize(100_000)
  assert.equal(store.usage().entries, 1_500, 'some at a time, as nothing else is done meanwhile')
  while (store.usage().entries > 100) await new Promise(setImmediate)
  assert.deepEqual(store.usage(), { entries: 100, bytes: 100_000 })
  assert.equal(evictions.total, 1_900)
  assert.equal(store.find('1899', '1899', ASKED), 'uri-miss')
  assert.notEqual(store.find('1900', '1900', ASKED), 'uri-miss')
  store.resize(200_000)
  for (let i = 0; i < 100; i++) store.put(`more ${i}`, makeCacheEntry({ url: `more ${i}` }))
  assert.equal(store.usage().entries, 200)
})

test('does not take an entry that would drive out many others', () => {
  const store = new MemoryCacheStore(10_000, new TestCounter())
  store.put('a', makeCacheEntry({ size: 1_251 }))
  assert.equal(store.usage().bytes, 0)
})
