import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ManualClock } from '../testing/manual-clock.ts'
import type { Clock } from '../core/clock.ts'
import { LoopTime } from './loop-time.ts'

/** A process that can be paused: what falls due meanwhile is done once when it goes on, however often it was due. */
function setUp(timeout = 50) {
  const running = new ManualClock()
  let paused = 0
  const clock: Clock = {
    now: () => running.now() + paused,
    wall: () => running.wall() + paused,
    every: (ms, task) => running.every(ms, task),
    after: (ms, task) => running.after(ms, task),
  }
  const turns: (() => void)[] = []
  const time = new LoopTime(clock, timeout, (task) => turns.push(task))
  const expired: string[] = []
  const wait = (name: string) => time.wait(() => expired.push(name))
  /** The event loop reads its sockets: `heard` is called for what it reads. */
  const turn = (heard?: () => void): void => {
    heard?.()
    for (const task of turns.splice(0)) task()
  }
  const pause = (ms: number): number => (paused += ms)
  return { clock: running, pause, time, expired, wait, turn, turns }
}

test('waits expire after their time, in order', () => {
  const { clock, wait, expired, turn } = setUp()
  wait('a')
  clock.advance(20)
  wait('b')
  clock.advance(29)
  turn()
  assert.deepEqual(expired, [])
  clock.advance(1)
  turn()
  assert.deepEqual(expired, ['a'])
  clock.advance(20)
  turn()
  assert.deepEqual(expired, ['a', 'b'])
})

test('a finished wait does not expire, and an expired one cannot finish', () => {
  const { clock, wait, expired, turn } = setUp()
  const inTime = wait('a')
  assert.equal(inTime(), true)
  assert.equal(inTime(), false)
  clock.advance(1000)
  turn()
  assert.deepEqual(expired, [])
  const late = wait('b')
  clock.advance(60)
  turn()
  assert.deepEqual(expired, ['b'])
  assert.equal(late(), false)
})

test('a pause of the process counts as one of five steps', () => {
  const { clock, pause, wait, expired, turn } = setUp()
  wait('a')
  for (let i = 0; i < 4; i++) {
    pause(60_000)
    clock.advance(10)
    turn()
  }
  assert.deepEqual(expired, [])
  clock.advance(10)
  turn()
  assert.deepEqual(expired, ['a'])
})

test('data that arrived before the expiry is read first, and counts', () => {
  const { clock, pause, wait, expired, turn, turns } = setUp()
  const inTime = wait('a')
  clock.advance(40)
  pause(500)
  clock.advance(10)
  assert.equal(turns.length, 1)
  let received = false
  turn(() => (received = inTime()))
  assert.equal(received, true)
  assert.deepEqual(expired, [])
})

test('nothing runs while nobody waits', () => {
  const { clock, time, wait } = setUp()
  assert.equal(clock.pending, 0)
  const inTime = wait('a')
  assert.equal(clock.pending, 1)
  inTime()
  clock.advance(20)
  assert.equal(clock.pending, 0)
  wait('b')
  time.close()
  assert.equal(clock.pending, 0)
})

test('the event loop turns once before a wait expires', async () => {
  const clock = new ManualClock()
  const time = new LoopTime(clock, 50)
  let expired = false
  time.wait(() => (expired = true))
  clock.advance(50)
  assert.equal(expired, false)
  await setImmediate()
  assert.equal(expired, true)
})
