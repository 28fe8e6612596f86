import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { Slices } from './slices.ts'

test('work goes on for 5 ms, and after everything else has had its turn for 5 ms more', async () => {
  const clock = new ManualClock()
  const slices = new Slices(clock)
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
