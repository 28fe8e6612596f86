import assert from 'node:assert/strict'
import test from 'node:test'
import { makeCacheEntry } from '../../../test/support/cache-entry.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { TestCounter } from '../../../test/support/test-counter.ts'
import { Headers } from '../../http/headers.ts'
import type { Invalidation } from './invalidation-topic.ts'
import { Invalidator } from './invalidator.ts'
import { MemoryCacheStore } from './memory/memory-store.ts'

function setUp() {
  const clock = new ManualClock()
  const store = new MemoryCacheStore(1_000_000, new TestCounter())
  const told: Invalidation[] = []
  const invalidator = new Invalidator(store, clock, (what) => void told.push(what))
  for (const url of ['h/a', 'h/a/b', 'h/c'])
    store.put(url, makeCacheEntry({ url, groups: url === 'h/c' ? ['h g'] : [] }))
  return {
    clock,
    store,
    invalidator,
    told,
    left: () => ['h/a', 'h/a/b', 'h/c'].filter((key) => store.find(key, key, Headers.of()) !== 'uri-miss'),
  }
}

for (const [kind, of, left] of [
  ['url', 'h/a', ['h/a/b', 'h/c']],
  ['prefix', 'h/a', ['h/c']],
  ['group', 'h g', ['h/a', 'h/a/b']],
] as const)
  test(`a ${kind} is forgotten, and what is on its way is known to be outdated`, () => {
    const { clock, invalidator, told, left: rest } = setUp()
    clock.advance(10)
    const groups = kind === 'group' ? ['h g'] : []
    assert.equal(invalidator.since(5, 'h/a', groups), false)
    assert.equal(invalidator.invalidate({ kind, of }), 3 - left.length)
    assert.deepEqual(rest(), left)
    assert.deepEqual(told, [{ kind, of }])
    assert.equal(invalidator.since(5, 'h/a', groups), true)
    assert.equal(invalidator.since(11, 'h/a', groups), false)
    assert.equal(invalidator.since(5, 'h/x', []), false)
  })

test('what is forgotten because another thread says so is told to nobody', () => {
  const { invalidator, told, left } = setUp()
  assert.equal(invalidator.forget({ kind: 'url', of: 'h/a' }), 1)
  assert.deepEqual([left(), told], [['h/a/b', 'h/c'], []])
  assert.equal(invalidator.since(0, 'h/a', []), true)
})
