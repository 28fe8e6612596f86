import assert from 'node:assert/strict'
import test from 'node:test'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { followOutages, OutageLog } from './outage-log.ts'
import { type Threads, TopicHandlers } from './threads.ts'

const OUTAGE = { fields: { issuer: 'a' }, begins: 'begins', ends: 'ends' }

function setUp() {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('debug', clock)
  const asked: string[] = []
  const answers = new TopicHandlers(log)
  followOutages(answers, clock, log)
  const threads: Threads = {
    askAll: async () => [],
    askMain(topic, question) {
      asked.push(topic.name)
      return answers.askMain(topic, question)
    },
  }
  return {
    clock,
    asked,
    inThread: (outage = OUTAGE) => new OutageLog(outage, { clock, log, threads }),
    logged: async () => {
      await new Promise(setImmediate)
      return lines.map(({ message, error, issuer }) => [message, issuer, errorText(error)].join(' ').trim())
    },
  }
}

function errorText(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'message' in error ? error.message : error
}

test('an outage is logged once however often something works meanwhile, and is over after ten seconds without a failure', async () => {
  const { clock, inThread, logged } = setUp()
  const thread = inThread()
  thread.worked()
  for (let second = 0; second < 60; second++) {
    thread.failed(second)
    clock.advance(1000)
    thread.worked()
    assert.deepEqual(await logged(), ['begins a 0'])
  }
  clock.advance(8999)
  assert.deepEqual(await logged(), ['begins a 0'])
  clock.advance(1)
  assert.deepEqual(await logged(), ['begins a 0', 'ends a'])
  thread.failed('again')
  assert.deepEqual(await logged(), ['begins a 0', 'ends a', 'begins a again'])
})

test('an outage lasts until something works', async () => {
  const { clock, inThread, logged } = setUp()
  const thread = inThread()
  for (let i = 0; i < 3; i++) {
    thread.failed(i)
    clock.advance(10_000)
    assert.deepEqual(await logged(), ['begins a 0'])
  }
  thread.worked()
  assert.deepEqual(await logged(), ['begins a 0', 'ends a'])
})

test('an outage that several threads notice is logged once, with the error of the first, and its end as well', async () => {
  const { clock, inThread, logged } = setUp()
  const threads = [inThread(), inThread(), inThread()]
  for (const [i, thread] of threads.entries()) thread.failed(i)
  assert.deepEqual(await logged(), ['begins a 0'])
  clock.advance(10_000)
  for (const thread of threads) thread.worked()
  assert.deepEqual(await logged(), ['begins a 0', 'ends a'])
})

test('the next outage is logged even if only a thread notices it that has done nothing since the last one', async () => {
  const { clock, inThread, logged } = setUp()
  const [first, second] = [inThread(), inThread()]
  first.failed(1)
  second.failed(2)
  assert.deepEqual(await logged(), ['begins a 1'])
  clock.advance(10_000)
  first.worked()
  second.failed(3)
  assert.deepEqual(await logged(), ['begins a 1', 'ends a', 'begins a 3'])
})

test('outages of different things are separate', async () => {
  const { inThread, logged } = setUp()
  inThread().failed(1)
  inThread({ ...OUTAGE, fields: { issuer: 'b' } }).failed(2)
  assert.deepEqual(await logged(), ['begins a 1', 'begins b 2'])
})

test('a thread repeats a report every five seconds only', async () => {
  const { clock, asked, inThread } = setUp()
  const thread = inThread()
  for (let i = 0; i < 10; i++) {
    thread.worked()
    clock.advance(1000)
  }
  assert.deepEqual(asked, ['outage-worked', 'outage-worked'])
})

test('a thread that gets no answer logs an outage itself', async () => {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('debug', clock)
  const silent: Threads = { askAll: async () => [], askMain: async () => [] }
  new OutageLog(OUTAGE, { clock, log, threads: silent }).failed('down')
  await new Promise(setImmediate)
  assert.equal(lines.length, 1)
})
