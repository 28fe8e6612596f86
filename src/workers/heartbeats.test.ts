import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { beat, Heartbeats } from './heartbeats.ts'

const BOUND = 10_000

function setUp(bound = BOUND) {
  const clock = new ManualClock()
  const stuck: [number, number][] = []
  const hearts = new Heartbeats(2, bound, clock, (worker, blocked) => stuck.push([worker, blocked]))
  return { clock, stuck, hearts, beats: new Int32Array(hearts.memory) }
}

test('a worker without heartbeats is reported once, and a live one never', () => {
  const { clock, stuck, hearts } = setUp()
  beat(hearts.memory, 0, BOUND, clock)
  for (const worker of [0, 1]) hearts.watch(worker)
  clock.advance(BOUND - 1)
  assert.deepEqual(stuck, [])
  clock.advance(5 * BOUND)
  assert.deepEqual(stuck, [[1, BOUND]])
  hearts.watch(1)
  clock.advance(BOUND + 1)
  assert.equal(stuck.length, 2)
})

test('the timeout starts with the last heartbeat', () => {
  const { clock, stuck, hearts, beats } = setUp()
  hearts.watch(0)
  clock.advance(9_000)
  beats[0]!++
  clock.advance(9_000)
  assert.deepEqual(stuck, [])
  clock.advance(2_000)
  assert.deepEqual(stuck, [[0, BOUND]])
})

test('time in which the process was suspended does not count', () => {
  const { clock, stuck, hearts } = setUp()
  let stands = true
  const now = clock.now.bind(clock)
  // The timers of a process that was stopped come late, all of them once.
  clock.now = () => now() + (stands ? 0 : 60_000)
  hearts.watch(0)
  clock.advance(5_000)
  stands = false
  clock.advance(9_000)
  assert.deepEqual(stuck, [])
  clock.advance(2_000)
  assert.deepEqual(stuck, [[0, BOUND]])
})

test('a worker that has ended is not stuck, and nothing is watched without a timeout or after close', () => {
  const { clock, stuck, hearts } = setUp()
  hearts.watch(0)
  hearts.forget(0)
  clock.advance(2 * BOUND)
  hearts.watch(1)
  hearts.close()
  clock.advance(2 * BOUND)
  assert.equal(clock.pending, 0)
  const off = setUp(0)
  off.hearts.watch(0)
  beat(off.hearts.memory, 0, 0, off.clock)
  off.clock.advance(2 * BOUND)
  assert.deepEqual([...stuck, ...off.stuck], [])
  assert.equal(off.clock.pending, 0)
})
