import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import * as fc from 'fast-check'
import { followOutages } from '../core/outage-log.ts'
import { TopicHandlers } from '../core/threads.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import type { Failure } from './failure.ts'
import { Outage } from './outage.ts'

const BEGINS = 'Redis cannot be used: the gateway continues without it'
const ENDS = 'Redis can be used again; decisions counts those made without it'

function failure(cause: string): Failure {
  return { cause, error: new Error(cause), isGeneral: true }
}

function setUp() {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('info', clock)
  const threads = new TopicHandlers(log)
  followOutages(threads, clock, log)
  const inThread = () => new Outage('limits', { clock, log, threads })
  const state = { now: failure('OOM') as Failure | null, probes: [] as number[] }
  const probe = () => {
    state.probes.push(clock.now())
    return Promise.resolve(state.now)
  }
  const advance = async (ms: number): Promise<void> => {
    const end = clock.now() + ms
    while (clock.now() < end) {
      clock.advance(Math.min(50, end - clock.now()))
      await setImmediate()
    }
  }
  const messages = () => lines.map(({ message }) => message)
  return { clock, outage: inThread(), inThread, state, probe, advance, lines, messages }
}

test('an outage logs one line at its start, with the cause, and one once Redis has answered for ten seconds', async () => {
  const { outage, state, probe, advance, lines } = setUp()
  assert.equal(outage.trouble, null)
  outage.begin(failure('OOM'), probe)
  outage.begin(failure('NOPERM'), probe)
  for (let i = 0; i < 7; i++) outage.missed()
  await advance(20_000)
  assert.equal(lines.length, 1)
  assert.deepEqual([lines[0]!['message'], lines[0]!['use'], lines[0]!['cause']], [BEGINS, 'limits', 'OOM'])
  assert.deepEqual(outage.trouble, { use: 'limits', cause: 'OOM', since: Date.UTC(2024, 0, 15, 10, 30) })
  state.now = null
  await advance(2000)
  assert.equal(outage.down, false)
  assert.equal(lines.length, 1)
  await advance(10_000)
  const { message, use, decisions } = lines[1]!
  assert.deepEqual({ message, use, decisions }, { message: ENDS, use: 'limits', decisions: 7 })
  assert.equal(lines.length, 2)
})

test('an outage of several threads logs one line at its start and one at its end, with the decisions of all', async () => {
  const { inThread, state, probe, advance, lines, messages } = setUp()
  const outages = [inThread(), inThread(), inThread(), inThread()]
  for (const outage of outages) outage.begin(failure('OOM'), probe)
  await advance(30_000)
  for (const outage of outages) for (let i = 0; i < 3; i++) outage.missed()
  assert.deepEqual(messages(), [BEGINS])
  state.now = null
  await advance(12_000)
  assert.deepEqual(messages(), [BEGINS, ENDS])
  assert.equal(lines[1]!['decisions'], 12)
})

test('an outage goes on for as long as one thread is in it', async () => {
  const { inThread, state, probe, advance, messages } = setUp()
  inThread().begin(failure('OOM'), () => Promise.resolve(null))
  inThread().begin(failure('OOM'), probe)
  await advance(60_000)
  assert.deepEqual(messages(), [BEGINS])
  state.now = null
  await advance(12_000)
  assert.deepEqual(messages(), [BEGINS, ENDS])
})

test('an outage whose connection was closed before its end does not hide the next one', async () => {
  const { inThread, probe, advance, messages } = setUp()
  const closed = inThread()
  closed.begin(failure('OOM'), probe)
  closed.close()
  await advance(10_000)
  inThread().begin(failure('OOM'), probe)
  assert.deepEqual(messages(), [BEGINS])
  await advance(50)
  assert.deepEqual(messages(), [BEGINS, BEGINS])
})

test('probes back off up to two seconds', async () => {
  const { outage, state, probe, advance } = setUp()
  outage.begin(failure('OOM'), probe)
  await advance(9000)
  assert.deepEqual(state.probes, [100, 300, 700, 1500, 3100, 5100, 7100])
})

test('backoff continues if an outage starts again at once, so that flapping is slow', async () => {
  const { outage, state, probe, advance, messages } = setUp()
  state.now = null
  for (let ms = 0; ms < 20_000; ms += 50) {
    outage.begin(failure('OOM'), probe)
    await advance(50)
  }
  assert.ok(messages().length < 30, `${messages().length} lines in 20 s`)
  await advance(15_000)
  const before = state.probes.length
  outage.begin(failure('OOM'), probe)
  await advance(100)
  assert.equal(state.probes.length, before + 1)
})

test('the cause is that of the last probe', async () => {
  const { outage, state, probe, advance } = setUp()
  outage.begin(failure('connection lost'), probe)
  state.now = failure('ECONNREFUSED')
  await advance(100)
  assert.equal(outage.trouble?.cause, 'ECONNREFUSED')
})

test('probeNow probes at once, one probe at a time', async () => {
  const { outage, state, probe, advance } = setUp()
  outage.probeNow()
  assert.deepEqual(state.probes, [])
  outage.begin(failure('OOM'), probe)
  await advance(5000)
  const before = state.probes.length
  state.now = null
  outage.probeNow()
  outage.probeNow()
  assert.equal(state.probes.length, before + 1)
  await advance(50)
  assert.equal(outage.down, false)
})

test('after close nothing is probed or logged', async () => {
  const { clock, outage, probe, advance, messages } = setUp()
  outage.begin(failure('OOM'), probe)
  outage.close()
  await advance(10_000)
  outage.begin(failure('OOM'), probe)
  await advance(50)
  assert.equal(messages().length, 1)
  assert.equal(clock.pending, 0)
})

test('property: lines alternate, and an outage that is over is logged as over', async () => {
  const step = fc.constantFrom('begin', 'well', 'ill', 'now', 'wait')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, outage, state, probe, advance, messages } = setUp()
      const alternates = () =>
        assert.deepEqual(
          messages(),
          messages().map((_, i) => (i % 2 === 0 ? BEGINS : ENDS)),
        )
      for (const what of steps) {
        if (what === 'begin') outage.begin(failure('OOM'), probe)
        if (what === 'well') state.now = null
        if (what === 'ill') state.now = failure('NOPERM')
        if (what === 'now') outage.probeNow()
        await advance(what === 'wait' ? 2000 : 50)
        alternates()
        if (outage.down) assert.equal(messages().at(-1), BEGINS)
      }
      state.now = null
      await advance(20_000)
      alternates()
      assert.notEqual(messages().at(-1), BEGINS)
      assert.equal(outage.down, false)
      assert.equal(clock.pending, 0)
    }),
    { numRuns: 30 },
  )
})
