import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { TestLog } from '../../../test/support/gateway.ts'
import { turnUntil } from '../../../test/support/settled.ts'
import type { PurgeCall } from './topics.ts'
import { type Fetch, PurgeCalls } from './purge-calls.ts'

const call = (path: string): PurgeCall => ({
  url: `https://cdn.example/${path}?token=secret`,
  method: 'POST',
  headers: {},
  body: '',
})

/** Calls that are answered as `answer` says, by their number. */
function setUp(answer: (count: number) => Response | Promise<Response>) {
  const clock = new ManualClock()
  const log = new TestLog(clock)
  const counts = { done: 0, failed: 0, dropped: 0 }
  const counter = (name: keyof typeof counts) => ({ add: (amount: number) => void (counts[name] += amount) })
  const requests: string[] = []
  const fetch: Fetch = async (url) => {
    requests.push(new URL(url).pathname)
    return answer(requests.length)
  }
  const calls = new PurgeCalls(
    clock,
    log.log,
    { done: counter('done'), failed: counter('failed'), dropped: counter('dropped') },
    fetch,
  )
  const settled = (): Promise<void> =>
    turnUntil('the calls to settle', () => log.lines.length + counts.done >= requests.length)
  return { calls, clock, log, counts, asked: requests, settled }
}

const status = (code: number, headers = {}): Response => new Response(null, { status: code, headers })

test('a purge reported by several threads is sent once, and sent again on a new purge', async () => {
  const { calls, counts, asked } = setUp(() => status(200))
  for (const id of ['1', '1', '1', '2']) {
    calls.add(id, call('a'))
    await turnUntil('all calls to finish', () => calls.size === 0)
  }
  assert.deepEqual(asked, ['/a', '/a'])
  assert.deepEqual(counts, { done: 2, failed: 0, dropped: 0 })
})

test('a failed purge is retried after 1, 5 and 25 seconds and then dropped, without logging secrets', async () => {
  const { calls, clock, counts, asked, log, settled } = setUp((count) => {
    if (count === 2) throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })
    return status(503)
  })
  calls.add('1', call('a'))
  for (const [pause, so] of [
    [1_000, 1],
    [5_000, 2],
    [25_000, 3],
  ] as const) {
    await settled()
    clock.advance(pause - 1)
    assert.equal(asked.length, so)
    clock.advance(1)
  }
  await settled()
  assert.deepEqual(counts, { done: 0, failed: 1, dropped: 0 })
  assert.equal(calls.size, 0)
  assert.equal(log.lines.length, 4)
  assert.equal(log.lines[1]?.['reason'], 'ECONNREFUSED')
  assert.doesNotMatch(JSON.stringify(log.lines), /secret/)
})

test('Retry-After up to a minute is respected, and permanent failures are not retried', async () => {
  const { calls, clock, counts, asked, settled } = setUp((count) =>
    count === 1 ? status(429, { 'Retry-After': '30' }) : status(403),
  )
  calls.add('1', call('a'))
  await settled()
  clock.advance(29_999)
  assert.equal(asked.length, 1)
  clock.advance(1)
  await settled()
  assert.deepEqual([asked.length, counts.failed], [2, 1])
})

test('at most 1,000 calls wait and four are in progress, and duplicates wait once', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>()
  const { calls, counts, asked } = setUp((count) => (count <= 4 ? promise : status(200)))
  for (let i = 0; i < 1_005; i++) calls.add(String(i), call(String(i)))
  assert.deepEqual([asked.length, calls.size, counts.dropped], [4, 1_000, 5])
  calls.add('again', call('999'))
  assert.deepEqual([calls.size, counts.dropped], [1_000, 5])
  resolve(status(200))
  await turnUntil('all calls to finish', () => calls.size === 0)
  assert.equal(counts.done, 1_000)
})

test('a call without a response in ten seconds is retried, and nothing is sent after close', async () => {
  const clock = new ManualClock()
  const { log } = new TestLog(clock)
  const none = { add: () => {} }
  const signals: AbortSignal[] = []
  const fetch: Fetch = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signals.push(signal!)
      signal!.addEventListener('abort', () => reject(signal!.reason as Error))
    })
  const calls = new PurgeCalls(clock, log, { done: none, failed: none, dropped: none }, fetch)
  calls.add('1', call('a'))
  clock.advance(10_000)
  assert.equal(signals[0]?.aborted, true)
  await new Promise(setImmediate)
  clock.advance(1_000)
  assert.equal(signals.length, 2)
  calls.close()
  assert.equal(signals[1]?.aborted, true)
  calls.add('2', call('b'))
  clock.advance(100_000)
  assert.equal(signals.length, 2)
})
