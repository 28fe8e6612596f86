import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { makeCacheEntry } from '../../../test/support/cache-entry.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { TestCounter } from '../../../test/support/test-counter.ts'
import { Headers } from '../../http/headers.ts'
import { Invalidator } from './invalidator.ts'
import { MemoryCacheStore } from './memory-store.ts'

function setUp(t: { after(task: () => void): void }) {
  const clock = new ManualClock()
  const store = new MemoryCacheStore(1_000_000, new TestCounter())
  const invalidator = new Invalidator(store, clock)
  t.after(() => invalidator.close())
  for (const url of ['h/a', 'h/a/b', 'h/c'])
    store.put(url, makeCacheEntry({ url, groups: url === 'h/c' ? ['h g'] : [] }))
  return {
    clock,
    store,
    invalidator,
    left: () => ['h/a', 'h/a/b', 'h/c'].filter((key) => store.find(key, key, Headers.of()) !== 'uri-miss'),
  }
}

for (const [kind, of, left] of [
  ['url', 'h/a', ['h/a/b', 'h/c']],
  ['prefix', 'h/a', ['h/c']],
  ['group', 'h g', ['h/a', 'h/a/b']],
] as const)
  test(`a ${kind} is forgotten, and what is on its way is known to be outdated`, (t) => {
    const { clock, invalidator, left: rest } = setUp(t)
    clock.advance(10)
    const groups = kind === 'group' ? ['h g'] : []
    assert.equal(invalidator.since(5, 'h/a', groups), false)
    assert.equal(invalidator.invalidate({ kind, of }), 3 - left.length)
    assert.deepEqual(rest(), left)
    assert.equal(invalidator.since(5, 'h/a', groups), true)
    assert.equal(invalidator.since(11, 'h/a', groups), false)
    assert.equal(invalidator.since(5, 'h/x', []), false)
  })

/** Says when a URL is made invalid. */
class WatchedStore extends MemoryCacheStore {
  readonly told = Promise.withResolvers<string>()

  override invalidate(url: string): number {
    this.told.resolve(url)
    return super.invalidate(url)
  }
}

test('one that is closed still forgets what is stored here', (t) => {
  const { invalidator, left } = setUp(t)
  invalidator.close()
  assert.equal(invalidator.invalidate({ kind: 'url', of: 'h/a' }), 1)
  assert.deepEqual(left(), ['h/a/b', 'h/c'])
})

test('other threads are told', async (t) => {
  const invalidator = new Invalidator(new MemoryCacheStore(1, new TestCounter()), new ManualClock())
  t.after(() => invalidator.close())
  const worker = new Worker(
    `const { BroadcastChannel, parentPort } = require('node:worker_threads')
     const channel = new BroadcastChannel('sallyport:cache')
     channel.onmessage = ({ data }) => {
       parentPort.postMessage(data)
       channel.close()
     }
     parentPort.postMessage('ready')`,
    { eval: true },
  )
  await once(worker, 'message')
  const heard = once(worker, 'message')
  void invalidator.invalidate({ kind: 'url', of: 'h/a' })
  assert.deepEqual(await heard, [{ kind: 'url', of: 'h/a' }])
  await once(worker, 'exit')
})

test('other threads are listened to', async (t) => {
  const store = new WatchedStore(1_000_000, new TestCounter())
  const invalidator = new Invalidator(store, new ManualClock())
  t.after(() => invalidator.close())
  store.put('h/a', makeCacheEntry())
  const worker = new Worker(
    `const { BroadcastChannel } = require('node:worker_threads')
     const channel = new BroadcastChannel('sallyport:cache')
     channel.postMessage({ nonsense: true })
     channel.postMessage({ kind: 'url', of: 'h/a' })
     channel.close()`,
    { eval: true },
  )
  // An unreferenced channel does not keep the process waiting.
  const [told] = await Promise.all([store.told.promise, once(worker, 'exit')])
  assert.equal(told, 'h/a')
  assert.equal(store.find('h/a', 'h/a', Headers.of()), 'uri-miss')
})
