import assert from 'node:assert/strict'
import test from 'node:test'
import { Tally } from './tally.ts'

/** One request each 10 ms for ten seconds, of which those fail that began from one time to another. */
function tally(from: number, to: number): Tally {
  const all = new Tally()
  for (let due = 0; due < 10_000; due += 10) all.add(due, due / 100, due >= from && due < to ? '503' : null)
  return all
}

test('failures are counted by reason, and the times of the first and last are recorded', () => {
  const all = tally(2000, 3000)
  all.add(2500, 5, 'time-out')
  assert.deepEqual(all.failures(), { sent: 1001, failed: 101, reasons: { 503: 100, 'time-out': 1 } })
  assert.deepEqual(all.failing(), [2000, 2990])
  assert.equal(tally(0, 0).failing(), null)
})

test('percentiles cover all requests', () => {
  const all = tally(0, 0)
  assert.equal(all.percentile(0.5), 50)
  assert.equal(all.percentile(0.99), 99)
  assert.equal(all.percentile(1), 99.9)
  assert.equal(new Tally().percentile(0.5), 0)
})

test('recovery ends with the last half second in which more than 3% of requests failed', () => {
  assert.equal(tally(2000, 5200).recovery(4000), 1500)
  assert.equal(tally(2000, 4000).recovery(4000), 0)
  // One of fifty is within bounds.
  assert.equal(tally(5000, 5010).recovery(4000), 0)
  assert.equal(tally(2000, 10_000).recovery(4000), null)
  // Nobody has seen it.
  assert.equal(tally(2000, 3000).recovery(10_000), null)
})

test('answered requests are counted by when they began', () => {
  assert.equal(tally(2000, 3000).answered(1000, 4000), 200)
})

test('the lateness of requests is measured', () => {
  const all = new Tally()
  for (let i = 0; i < 200; i++) all.begun(i < 197 ? 1 : 400)
  assert.equal(all.lateness(), 400)
  assert.equal(new Tally().lateness(), 0)
})
