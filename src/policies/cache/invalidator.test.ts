import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { BroadcastChannel, Worker } from 'node:worker_threads'
import { makeCacheEntry } from '../../../test/support/cache-entry.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { Invalidator } from './invalidator.ts'
import { MemoryCacheStore } from './memory-store.ts'

function setUp(t: { after(task: () => void): void }) {
  const clock = new ManualClock()
  const store = new MemoryCacheStore(1_000_000)
  const invalidator = new Invalidator(store, clock)
  t.after(() => invalidator.close())
  for (const url of ['h/a', 'h/a/b', 'h/c'])
    store.put(url, makeCacheEntry({ url, groups: url === 'h/c' ? ['h g'] : [] }))
  return { clock, store, invalidator, left: () => ['h/a', 'h/a/b', 'h/c'].filter((key) => store.find(key).length > 0) }
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

test('other threads are told, and listened to', async (t) => {
  const { invalidator, left } = setUp(t)
  const worker = new Worker(
    `const { BroadcastChannel, parentPort } = require('node:worker_threads')
     const channel = new BroadcastChannel('sallyport:cache')
     channel.onmessage = ({ data }) => {
       channel.postMessage({ nonsense: true })
       channel.postMessage({ kind: 'url', of: 'h/c' })
       parentPort.postMessage(data)
       channel.close()
     }
     parentPort.postMessage('ready')`,
    { eval: true },
  )
  await once(worker, 'message')
  const done = new BroadcastChannel('sallyport:cache')
  t.after(() => done.close())
  const heard = once(worker, 'message')
  const answered = new Promise<void>((resolve) =>
    done.addEventListener('message', (event) => {
      if (JSON.stringify(event.data).includes('h/c')) resolve()
    }),
  )
  void invalidator.invalidate({ kind: 'url', of: 'h/a' })
  assert.deepEqual(await heard, [{ kind: 'url', of: 'h/a' }])
  await answered
  // The same message went to both listeners of this thread; the other one runs in the same turn or the next.
  await new Promise(setImmediate)
  assert.deepEqual(left(), ['h/a/b'])
})
