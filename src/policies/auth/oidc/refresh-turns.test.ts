import assert from 'node:assert/strict'
import test from 'node:test'
import { type Threads, TopicHandlers } from '../../../core/threads.ts'
import { createMemoryLogger } from '../../../telemetry/memory-logger.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { giveTurns, type Refreshed, takeTurns } from './refresh-turns.ts'

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** Threads that share a main thread, and a provider that answers when it is told to, within `longest` milliseconds. */
function setUp(longest = 20_000) {
  const clock = new ManualClock()
  const main = new TopicHandlers(createMemoryLogger().log)
  const turns = giveTurns(main, clock)
  const asked: ((result: Refreshed) => void)[] = []
  const ask = (): Promise<Refreshed> => new Promise((resolve) => void asked.push(resolve))
  const [first, second] = [takeTurns(main, longest, 1), takeTurns(main, longest, 2)]
  return { clock, turns, asked, ask, first, second }
}

test('while one thread refreshes a session, others wait for its result, and later ones get it', async () => {
  const { clock, asked, ask, first, second } = setUp()
  const results = [first('a', ask), second('a', ask), second('b', ask)]
  await turn()
  assert.equal(asked.length, 2, 'once for each session')
  clock.advance(10_000)
  await turn()
  const cookie = { cookie: 'new' }
  for (const answer of asked) answer(cookie)
  assert.deepEqual(await Promise.all(results), [cookie, cookie, cookie])
  clock.advance(3_600_000)
  assert.deepEqual(await second('a', ask), cookie)
  assert.equal(asked.length, 2)
})

test('a failure is that of all who waited, and the next thread tries again', async () => {
  const { asked, ask, first, second } = setUp()
  const results = [first('a', ask), second('a', ask)]
  await turn()
  asked[0]?.({ failure: 'unavailable' })
  assert.deepEqual(await Promise.all(results), [{ failure: 'unavailable' }, { failure: 'unavailable' }])
  const again = second('a', ask)
  await turn()
  asked[1]?.({ cookie: 'new' })
  assert.deepEqual(await again, { cookie: 'new' })
})

test('when a thread ends, the next one takes over at once, and keeps what the first one has done', async () => {
  const { turns, asked, ask, first, second } = setUp()
  const done = first('done', ask)
  await turn()
  asked[0]?.({ cookie: 'kept' })
  await done
  void first('a', ask)
  const waiting = second('a', ask)
  const other = second('b', ask)
  await turn()
  assert.equal(asked.length, 3)
  turns.threadEnded(1)
  await turn()
  assert.equal(asked.length, 4)
  for (const answer of asked.slice(2)) answer({ cookie: 'new' })
  assert.deepEqual(await Promise.all([waiting, other]), [{ cookie: 'new' }, { cookie: 'new' }])
  assert.deepEqual(await second('done', ask), { cookie: 'kept' })
})

test('another thread takes over from one that is stuck', async () => {
  const { clock, asked, ask, first, second } = setUp()
  void first('a', ask)
  const waiting = second('a', ask)
  for (let seconds = 0; seconds < 32; seconds++) {
    await turn()
    clock.advance(1000)
  }
  await turn()
  assert.equal(asked.length, 2)
  asked[1]?.({ cookie: 'new' })
  assert.deepEqual(await waiting, { cookie: 'new' })
})

test('a refresh that may take longer, by the timeout for the provider, is waited for', async () => {
  const { clock, asked, ask, first, second } = setUp(60_000)
  const results = [first('a', ask), second('a', ask)]
  for (let seconds = 0; seconds < 60; seconds++) {
    await turn()
    clock.advance(1000)
  }
  await turn()
  assert.equal(asked.length, 1)
  asked[0]?.({ cookie: 'new' })
  assert.deepEqual(await Promise.all(results), [{ cookie: 'new' }, { cookie: 'new' }])
})

test('a thread that gets no answer goes ahead', async () => {
  const silent: Threads = { askAll: async () => [], askMain: async () => [] }
  assert.deepEqual(await takeTurns(silent, 20_000)('a', async () => ({ cookie: 'new' })), { cookie: 'new' })
})
