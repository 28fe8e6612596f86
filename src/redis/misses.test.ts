import assert from 'node:assert/strict'
import test from 'node:test'
import { Misses } from './misses.ts'

test('three consecutive timeouts are an outage', () => {
  const misses = new Misses(50)
  assert.equal(misses.add(0, 50), false)
  assert.equal(misses.add(50, 100), false)
  assert.equal(misses.add(100, 150), true)
})

test('overlapping timeouts count as one', () => {
  const misses = new Misses(50)
  for (let asked = 0; asked < 50; asked++) assert.equal(misses.add(asked, 50 + asked), false)
  assert.equal(misses.add(50, 100), false)
  for (let asked = 51; asked < 100; asked++) assert.equal(misses.add(asked, 50 + asked), false)
  assert.equal(misses.add(100, 150), true)
})

test('an answer in time, and a longer pause, reset the count', () => {
  const misses = new Misses(50)
  misses.add(0, 50)
  misses.add(50, 100)
  misses.clear()
  assert.equal(misses.add(100, 150), false)
  assert.equal(misses.add(150, 200), false)
  assert.equal(misses.add(700, 750), false)
  assert.equal(misses.add(750, 800), false)
  assert.equal(misses.add(800, 850), true)
})
