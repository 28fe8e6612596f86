import assert from 'node:assert/strict'
import test from 'node:test'
import { workMeter } from './work.ts'

/** Lets the event loop take turns: it measures itself from the first of them on. */
const turn = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 1))

test('a thread that is at work without a processor has little of one', async () => {
  await turn()
  const work = workMeter(() => 0)
  work()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  const { busy, share } = work()
  assert.ok(busy > 0.5, `${busy}`)
  assert.ok(share < 0.5, `${share}`)
})

test('what it has is never more than all of one', async () => {
  await turn()
  const work = workMeter(() => 0)
  work()
  const end = process.threadCpuUsage().user + 50_000
  while (process.threadCpuUsage().user < end);
  const { busy, share } = work()
  assert.ok(busy > 0.5 && share > 0 && share <= 1, `${busy} ${share}`)
})

test('connections that come each time that it looks for some may have waited', async () => {
  let accepted = 0
  const work = workMeter(() => accepted)
  for (const [each, crowded] of [
    [0.5, false],
    [2, true],
  ] as const) {
    work()
    const turns = performance.nodeTiming.uvMetricsInfo.loopCount
    await turn()
    accepted += Math.floor(each * (performance.nodeTiming.uvMetricsInfo.loopCount - turns))
    assert.equal(work().crowded, crowded)
  }
})
