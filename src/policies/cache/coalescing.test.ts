import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Flights } from './coalescing.ts'
import { FlightTable, type SharedFlight } from './memory/flight-table.ts'
import { ReplyMemory } from './memory/reply-memory.ts'

test('there is one flight for a key at a time', () => {
  const flights = new Flights(new ManualClock(), { flightTable: null, isWritable: true })
  const flight = flights.begin('k', 1_000)
  assert.equal(flights.begin('k', 1_000), null)
  assert.ok(flights.begin('other', 1_000))
  flight!.settle()
  assert.equal(flights.join('k', 1), null)
  assert.ok(flights.begin('k', 1_000))
})

test('there is none while the store takes nothing, and there is one again as soon as it does', () => {
  const store = { flightTable: null, isWritable: false }
  const flights = new Flights(new ManualClock(), store)
  assert.equal(flights.begin('k', 1_000), null)
  assert.equal(flights.joinOrBegin('k', 1_000, 1_000, true), null)
  store.isWritable = true
  const flight = flights.begin('k', 1_000)
  store.isWritable = false
  assert.ok(flights.join('k', 1), 'it is still there')
  flight!.settle()
  assert.equal(flights.join('k', 1), null)
})

test('those who wait go on when the flight is over, and no timer is left', async () => {
  const clock = new ManualClock()
  const flights = new Flights(clock, { flightTable: null, isWritable: true })
  const flight = flights.begin('k', 1_000)
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
  const flights = new Flights(clock, { flightTable: null, isWritable: true })
  const late = flights.begin('k', 1_000)
  const waiting = flights.join('k', 1_000)
  clock.advance(1_000)
  await waiting
  assert.ok(flights.begin('k', 1_000))
  late!.settle()
  assert.equal(flights.begin('k', 1_000), null)
})

test('nobody waits for a key that was not storable, for ten seconds', async () => {
  const clock = new ManualClock()
  const flights = new Flights(clock, { flightTable: null, isWritable: true })
  const waiting = flights.begin('k', 1_000)
  const waited = flights.join('k', 1_000)
  waiting!.giveUp()
  await waited
  assert.equal(flights.begin('k', 1_000), null)
  assert.equal(flights.join('k', 1_000), null)
  clock.advance(10_000)
  assert.ok(flights.begin('k', 1_000))
})

test('a request whose own time is over leaves, and the others wait on', async () => {
  const clock = new ManualClock()
  const flights = new Flights(clock, { flightTable: null, isWritable: true })
  const flight = flights.begin('k', 1_000)
  clock.advance(100)
  const short = flights.join('k', 200)
  let isOver = false
  const long = flights.join('k', 1_000)?.then(() => (isOver = true))
  clock.advance(200)
  await short
  assert.equal(isOver, false)
  assert.equal(flights.begin('k', 1_000), null)
  flight!.settle()
  await long
  assert.equal(clock.pending, 0)
})

test('a request waits for one of another thread that starts at the same moment', async () => {
  const clock = new ManualClock()
  const buffer = ReplyMemory.create(1_000_000, () => 0.7)!
  const [mine, other] = [1, 2].map((thread) => new FlightTable(new ReplyMemory(buffer, thread), clock, thread))
  const flights = new Flights(clock, { flightTable: mine!, isWritable: true })
  const begin = mine!.begin.bind(mine)
  let faster: SharedFlight | null = null
  mine!.begin = (key, wait) => {
    faster = other!.begin(key, wait)
    return begin(key, wait)
  }
  const waiting = flights.joinOrBegin('k', 1_000, 1_000, true)
  assert.ok(waiting instanceof Promise)
  other!.end(faster!)
  await waiting
})
