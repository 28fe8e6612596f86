import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import * as fc from 'fast-check'
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
  const outage = new Outage(clock, log, 'limits')
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
  return { clock, outage, state, probe, advance, lines, messages }
}

test('an outage logs one line at its start and one at its end, both with the cause', async () => {
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
  const { message, use, cause, decisions } = lines[1]!
  assert.deepEqual({ message, use, cause, decisions }, { message: ENDS, use: 'limits', cause: 'OOM', decisions: 7 })
  assert.equal(lines.length, 2)
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
  assert.equal(messages().length, 1)
  assert.equal(clock.pending, 0)
})

test('property: lines come in pairs and reflect the state', async () => {
  const step = fc.constantFrom('begin', 'well', 'ill', 'now', 'wait')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, outage, state, probe, advance, messages } = setUp()
      for (const what of steps) {
        if (what === 'begin') outage.begin(failure('OOM'), probe)
        if (what === 'well') state.now = null
        if (what === 'ill') state.now = failure('NOPERM')
        if (what === 'now') outage.probeNow()
        await advance(what === 'wait' ? 2000 : 50)
        const expected = messages().map((_, i) => (i % 2 === 0 ? BEGINS : ENDS))
        assert.deepEqual(messages(), expected)
        assert.equal(outage.down, expected.length % 2 === 1)
        assert.equal(clock.pending, outage.down ? 1 : 0)
      }
    }),
    { numRuns: 30 },
  )
})
