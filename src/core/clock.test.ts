import assert from 'node:assert/strict'
import test from 'node:test'
import { systemClock } from './clock.ts'

const DAY = 86_400_000

test('a delay of more than the 24 days that a timer supports is over when it should be, and can be called off', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const pass = (days: number): void => {
    for (let day = 0; day < days; day++) t.mock.timers.tick(DAY)
  }
  let over = 0
  systemClock.after(100 * DAY, () => over++)
  const cancel = systemClock.after(100 * DAY, () => over++)
  pass(60)
  cancel()
  pass(39)
  assert.equal(over, 0)
  pass(2)
  assert.equal(over, 1)
})

test('an interval that no timer supports does not become one of a millisecond', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let times = 0
  const cancel = systemClock.every(100 * DAY, () => times++)
  t.mock.timers.tick(24 * DAY)
  assert.equal(times, 0)
  cancel()
})
