import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Deadlines } from './deadlines.ts'
import { MinRate } from './min-rate.ts'

function open(rate = 240, max = Number.POSITIVE_INFINITY) {
  const clock = new ManualClock()
  const state = { bytes: 0, slow: false }
  const pace = new MinRate(new Deadlines(clock), {
    moved: () => state.bytes,
    tooSlow: () => void (state.slow = true),
  })
  pace.begin(rate, max)
  /** Lets so many bytes a second move, for so many seconds. */
  const move = (perSecond: number, seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      state.bytes += perSecond
      clock.advance(1_000)
    }
  }
  return { clock, state, pace, move }
}

test('without any progress a message is too slow after five seconds', () => {
  const { clock, state, pace } = open()
  pace.wait()
  clock.advance(4_900)
  assert.equal(state.slow, false)
  clock.advance(400)
  assert.equal(state.slow, true)
})

test('progress at the minimum rate is fast enough, and at half of it soon too slow', () => {
  const fine = open()
  fine.pace.wait()
  fine.move(240, 3600)
  assert.equal(fine.state.slow, false)
  const slow = open()
  slow.pace.wait()
  slow.move(100, 30)
  assert.equal(slow.state.slow, true)
})

test('a byte now and then is too slow', () => {
  const { state, pace, move } = open()
  pace.wait()
  move(1, 7)
  assert.equal(state.slow, true)
})

test('time in which nobody waits for the client does not count', () => {
  const { clock, state, pace } = open()
  for (let i = 0; i < 4; i++) {
    pace.wait()
    clock.advance(1_000)
    pace.rest()
    clock.advance(3_600_000)
  }
  assert.equal(state.slow, false)
  pace.wait()
  clock.advance(1_500)
  assert.equal(state.slow, true)
})

test('a fast start only makes up for a limited time', () => {
  const { clock, state, pace } = open(240, 30_000)
  pace.wait()
  state.bytes = 1_000_000
  clock.advance(34_000)
  assert.equal(state.slow, false)
  clock.advance(1_500)
  assert.equal(state.slow, true)
})

test('after excuse the rest of a message may be slow', () => {
  const { clock, state, pace } = open()
  pace.wait()
  pace.excuse()
  pace.wait()
  clock.advance(3_600_000)
  assert.equal(state.slow, false)
})

test('each message starts anew, and a rate of 0 is no limit', () => {
  const { clock, state, pace } = open()
  pace.wait()
  clock.advance(4_000)
  pace.begin(240, Number.POSITIVE_INFINITY)
  pace.wait()
  clock.advance(4_000)
  assert.equal(state.slow, false)
  const free = open(0)
  free.pace.wait()
  free.clock.advance(3_600_000)
  assert.equal(free.state.slow, false)
})
