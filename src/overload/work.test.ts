import assert from 'node:assert/strict'
import test from 'node:test'
import { workMeter } from './work.ts'

const NONE = { accepted: 0, waiting: () => 0 }

/** Lets the event loop take turns: it measures itself from the first of them on. */
const turn = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 1))

test('a thread that is busy without a CPU has a low share of it', async () => {
  await turn()
  const work = workMeter(() => NONE)
  work()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
  const { busy, share } = work()
  assert.ok(busy > 0.5, `${busy}`)
  assert.ok(share < 0.5, `${share}`)
})

test('the share is at most 1', async () => {
  await turn()
  const work = workMeter(() => NONE)
  work()
  const end = process.threadCpuUsage().user + 50_000
  while (process.threadCpuUsage().user < end);
  const { busy, share } = work()
  assert.ok(busy > 0.5 && share > 0 && share <= 1, `${busy} ${share}`)
})

test('the wait in the accept queue is estimated from the accept rate', async () => {
  let [accepted, asked] = [0, 0]
  const waiting = (): number => {
    asked++
    return 30
  }
  const work = workMeter(() => ({ accepted, waiting }))
  for (const each of [0.5, 2]) {
    work()
    const turns = performance.nodeTiming.uvMetricsInfo.loopCount
    const before = performance.now()
    await turn()
    const received = Math.floor(each * (performance.nodeTiming.uvMetricsInfo.loopCount - turns))
    accepted += received
    const { waited } = work()
    const max = (30 * (performance.now() - before + 1)) / received
    assert.ok(each < 1 ? waited === 0 : waited > 0 && waited <= max, `${waited}, ${max}`)
  }
  assert.equal(asked, 1, 'no request is made while there is time left')
})
