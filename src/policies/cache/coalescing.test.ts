import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Flights } from './coalescing.ts'

test('there is one flight for a key at a time', () => {
  const flights = new Flights(new ManualClock(), { board: null })
  const flight = flights.begin('k')
  assert.equal(flights.begin('k'), null)
  assert.ok(flights.begin('other'))
  flight!.settle()
  assert.equal(flights.join('k', 1), null)
  assert.ok(flights.begin('k'))
})

test('those who wait go on when the flight is over, and no timer is left', async () => {
  const clock = new ManualClock()
  const flights = new Flights(clock, { board: null })
  const flight = flights.begin('k')
  const first = flights.join('k', 1_000)
  const second = flights.join('k', 1_000)
  assert.equal(clock.pending, 1)
  flight!.settle()
  await first
  await second
  assert.equal(clock.pending, 0)
})

test('a flight that is late ends nothing of the one that took its place', async () => {
  const clock = new ManualClock()
  const flights = new Flights(clock, { board: null })
  const late = flights.begin('k')
  const waiting = flights.join('k', 1_000)
  clock.advance(1_000)
  await waiting
  assert.ok(flights.begin('k'))
  late!.settle()
  assert.equal(flights.begin('k'), null)
})

test('nobody waits for a key that was not storable, for ten seconds', async () => {
  const clock = new ManualClock()
  const flights = new Flights(clock, { board: null })
  const waiting = flights.begin('k')
  const waited = flights.join('k', 1_000)
  waiting!.giveUp()
  await waited
  assert.equal(flights.begin('k'), null)
  assert.equal(flights.join('k', 1_000), null)
  clock.advance(10_000)
  assert.ok(flights.begin('k'))
})
