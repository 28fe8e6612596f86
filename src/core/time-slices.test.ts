import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { TimeSlices, type SlicedWork, runToEnd } from './time-slices.ts'

test('a slice lasts 5 ms, and the next one starts after other work', async () => {
  const clock = new ManualClock()
  const slices = new TimeSlices(clock)
  clock.advance(4.9)
  assert.equal(slices.over, false)
  clock.advance(0.1)
  assert.equal(slices.over, true)
  let turns = 0
  setImmediate(() => turns++)
  await slices.next()
  assert.equal(turns, 1)
  assert.equal(slices.over, false)
  clock.advance(5)
  assert.equal(slices.over, true)
})

function* counting(taken: number[], to: number): SlicedWork<number> {
  for (let step = 0; step < to; step++) {
    taken.push(step)
    yield
  }
  return taken.length
}

test('steps run at once, or in slices with other work in between', async () => {
  assert.equal(runToEnd(counting([], 7)), 7)
  const clock = new ManualClock()
  const taken: number[] = []
  const perTurn: number[] = []
  const slow = function* (): SlicedWork<number> {
    for (const steps = counting(taken, 7); ; clock.advance(2)) {
      const { done, value } = steps.next()
      if (done === true) return value
      yield
    }
  }
  let before = 0
  setImmediate(function turn() {
    perTurn.push(taken.length - before)
    before = taken.length
    if (taken.length < 7) setImmediate(turn)
  })
  assert.equal(await new TimeSlices(clock).run(slow()), 7)
  assert.ok(Math.max(...perTurn) <= 4, perTurn.join())
  assert.ok(perTurn.length >= 2)
})
