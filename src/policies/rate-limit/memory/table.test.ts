import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { type ClientHash, hashClient, hashPart } from './client-hash.ts'
import { MemoryMeter } from './memory-meter.ts'
import { SharedTable } from './table.ts'

const MINUTE = 60_000
/** Places that a client's entries may have; a table of that size is full with so many clients. */
const PLACES = 16

function setUp() {
  const clock = new ManualClock()
  const table = SharedTable.create(PLACES)
  const meter = (limit: number, window: number) =>
    new MemoryMeter(table, clock, { name: 'tier', algorithm: 'fixed-window', quotas: [{ limit, window }] })
  return { clock, table, meter }
}

test('the size of a table is rounded up to a power of two', () => {
  assert.deepEqual(
    [1, 17, 4096].map((entries) => SharedTable.create(entries).size),
    [16, 32, 4096],
  )
})

test('expired clients are evicted first, the oldest first, and nobody else', () => {
  const { clock, table, meter } = setUp()
  const hourly = meter(1, 60 * MINUTE)
  const minutely = meter(1, MINUTE)
  for (let i = 0; i < PLACES - 2; i++) hourly.decide(`hourly-${i}`, 1)
  minutely.decide('first', 1)
  clock.advance(1000)
  minutely.decide('second', 1)
  clock.advance(MINUTE - 1)
  assert.equal(hourly.decide('new', 1).admitted, true)
  assert.equal(minutely.decide('second', 1).admitted, false)
  clock.advance(2000)
  assert.equal(hourly.decide('newer', 1).admitted, true)
  assert.equal(table.evictions, 0)
  for (const client of ['new', 'newer', ...Array.from({ length: PLACES - 2 }, (_, i) => `hourly-${i}`)])
    assert.equal(hourly.decide(client, 1).admitted, false, client)
})

test('in a table full of active clients, the one that would expire first is evicted and starts anew', () => {
  const { table, meter } = setUp()
  const long = meter(1, 60 * MINUTE)
  for (let i = 0; i < PLACES - 1; i++) long.decide(`long-${i}`, 1)
  const short = meter(1, MINUTE)
  short.decide('short', 1)
  assert.equal(short.decide('short', 1).admitted, false)
  assert.equal(long.decide('new', 1).admitted, true)
  assert.equal(table.evictions, 1)
  assert.equal(long.decide('new', 1).admitted, false)
  for (let i = 0; i < PLACES - 1; i++) assert.equal(long.decide(`long-${i}`, 1).admitted, false)
  assert.equal(short.decide('short', 1).admitted, true)
})

test('each of any number of clients is held to its limit while it keeps asking', () => {
  const { meter } = setUp()
  const minutely = meter(3, MINUTE)
  for (let i = 0; i < 1000; i++) {
    const admitted = Array.from({ length: 5 }, () => minutely.decide(`client-${i}`, 1).admitted)
    assert.deepEqual(admitted, [true, true, true, false, false])
  }
})

test('an entry left unfinished by a dead thread blocks nobody', () => {
  const { table, meter } = setUp()
  // The first number of an entry says whose it is; 1 while it changes hands.
  const ints = new Int32Array(table.buffer, 64)
  const entryInts = ints.length / PLACES
  for (let i = 0; i < PLACES - 1; i++) ints[i * entryInts] = 1
  const minutely = meter(2, MINUTE)
  const admitted = Array.from({ length: 3 }, () => minutely.decide('42', 1).admitted)
  assert.deepEqual(admitted, [true, true, false])
})

test('a table without any usable entry rejects', () => {
  const { table, meter } = setUp()
  const ints = new Int32Array(table.buffer, 64)
  for (let i = 0; i < PLACES; i++) ints[i * (ints.length / PLACES)] = 1
  assert.equal(meter(2, MINUTE).decide('42', 1).admitted, false)
})

test('many clients with similar names have distinct hashes', () => {
  const hash: ClientHash = { tag: 0, check: 0 }
  const seen = new Set<string>()
  const keep = (): void => void seen.add(`${hash.tag} ${hash.check}`)
  for (let i = 0; i < 100_000; i++) {
    hashClient(`user-${i}`, 7, ~7, hash)
    keep()
    hashClient(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 7, ~7, hash)
    keep()
  }
  assert.equal(seen.size, 200_000)
})

test('clients are distributed evenly over the table', () => {
  const places = Array.from({ length: 256 }, () => 0)
  const hash: ClientHash = { tag: 0, check: 0 }
  for (let i = 0; i < 25_600; i++) {
    hashClient(`user-${i}`, 7, ~7, hash)
    hashPart(hash, 1234, hash)
    places[hash.tag & 255]!++
  }
  // 100 each, give or take five standard deviations.
  assert.ok(
    places.every((count) => count > 50 && count < 150),
    places.join(' '),
  )
})

test('property: a hash is never a reserved number', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), fc.integer(), (client, seed, part) => {
      const hash: ClientHash = { tag: 0, check: 0 }
      hashClient(client, seed, ~seed, hash)
      assert.notEqual(hash.tag >>> 1, 0)
      hashPart(hash, part, hash)
      assert.notEqual(hash.tag >>> 1, 0)
    }),
  )
})
