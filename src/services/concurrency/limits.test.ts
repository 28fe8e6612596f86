import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../../testing/manual-clock.ts'
import { makeOutcome, someInstance } from '../../../test/support/outcome.ts'
import { HealthBoard } from '../health/board.ts'
import type { Outcome } from '../outcome.ts'
import { createLimit } from './create-limit.ts'
import { concurrencySchema, MAX_SERVICES } from './index.ts'
import { SHARES, SHED } from './limit.ts'
import { ServiceLoads } from './service-loads.ts'

function setUp(options: unknown, workers = 2) {
  const clock = new ManualClock()
  const board = HealthBoard.create(1, workers)
  const limits = Array.from({ length: workers }, (_, worker) => {
    const loads = new HealthBoard(board.buffer, worker).loads
    return createLimit(concurrencySchema.parse(options), loads.of('orders'), clock)!
  })
  return { clock, board, limits }
}

function outcome(took: number, parts: Partial<Outcome> = {}): Outcome {
  return makeOutcome(someInstance, { took, ...parts })
}

test('two workers share a fixed limit exactly', () => {
  const { limits } = setUp(3)
  const [one, other] = limits
  assert.deepEqual([one!.admit(1), other!.admit(1), one!.admit(1)], [0, 0, 0])
  assert.deepEqual([one!.admit(1), other!.admit(1)], [SHED, SHED])
  other!.release(0)
  assert.deepEqual([one!.admit(1), other!.admit(1)], [0, SHED])
  assert.equal(one!.value, 3)
})

test('low priority is shed before the limit is reached, and high priority after it', () => {
  const { limits } = setUp(10)
  const admitted = (share: number): number => {
    let count = 0
    while (limits[0]!.admit(share) !== SHED) count++
    return count
  }
  assert.deepEqual([admitted(SHARES.low), admitted(SHARES.normal), admitted(SHARES.high)], [8, 2, 1])
})

test('a limit of 1 admits one request of each priority', () => {
  for (const share of Object.values(SHARES)) {
    const { limits } = setUp(1)
    assert.deepEqual([limits[0]!.admit(share), limits[1]!.admit(share)], [0, SHED])
  }
})

test('the requests of a worker that died are no longer counted', () => {
  const { limits, board } = setUp(2)
  limits[1]!.admit(1)
  limits[1]!.admit(1)
  assert.equal(limits[0]!.admit(1), SHED)
  board.forget(1)
  assert.equal(limits[0]!.admit(1), 0)
})

test('property: a fixed limit is never exceeded', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.tuple(fc.nat(1), fc.boolean())), (number, steps) => {
      const { limits } = setUp(number)
      const held = [0, 0]
      for (const [worker, begins] of steps) {
        if (!begins && held[worker]! > 0) {
          limits[worker]!.release(0)
          held[worker]!--
        }
        if (!begins) continue
        const expected = held[0]! + held[1]! < number
        assert.equal(limits[worker]!.admit(1) !== SHED, expected)
        if (expected) held[worker]!++
      }
    }),
  )
})

test('while nothing has been slow, requests in flight may reach the maximum', () => {
  const { limits, clock } = setUp({ floor: 4, most: 100 })
  const [limit] = limits
  const admit = (count: number): number[] => Array.from({ length: count }, () => limit!.admit(1))
  const end = (epochs: readonly number[], took: number): void => {
    clock.advance(took)
    for (const epoch of epochs) {
      limit!.release(epoch)
      limit!.ended!(outcome(took))
    }
  }
  const burst = admit(100)
  assert.ok(!burst.includes(SHED))
  assert.equal(limit!.admit(1), SHED)
  end(burst, 10)
  for (let i = 0; i < 20; i++) end(admit(20), 10)
  const again = admit(100)
  assert.ok(!again.includes(SHED))
  end(again, 10)
  // Now they wait for one another.
  for (let i = 0; i < 20; i++) {
    const begun = admit(60).filter((epoch) => epoch !== SHED)
    end(begun, 2 * begun.length)
  }
  assert.ok(limit!.value < 60, String(limit!.value))
})

test('two workers share an adaptive limit', () => {
  const { limits, clock } = setUp({ floor: 4, most: 4 })
  const [one, other] = limits
  // It is known that requests take a millisecond.
  for (let i = 0; i < 20; i++) {
    one!.release(one!.admit(1))
    clock.advance(10)
    one!.ended!(outcome(1))
  }
  const admitted = [one!.admit(1), other!.admit(1), one!.admit(1), other!.admit(1)]
  assert.ok(!admitted.includes(SHED))
  assert.deepEqual([one!.admit(1), other!.admit(1)], [SHED, SHED])
  assert.equal(one!.value, other!.value)
  other!.release(admitted[1]!)
  assert.notEqual(one!.admit(1), SHED)
})

test('requests that take longer than two seconds no longer count', () => {
  const { limits, clock } = setUp({ floor: 2, most: 2 })
  const [limit] = limits
  clock.advance(10_000)
  for (let i = 0; i < 5; i++) {
    const old = [limit!.admit(1), limit!.admit(1)]
    assert.ok(!old.includes(SHED))
    assert.equal(limit!.admit(1), SHED)
    clock.advance(2_000)
    const epoch = limit!.admit(1)
    assert.notEqual(epoch, SHED)
    // They are not counted any more, and so not taken off what is.
    for (const each of old) limit!.release(each)
    assert.notEqual(limit!.admit(1), SHED)
    assert.equal(limit!.admit(1), SHED)
    clock.advance(2_000 + i * 1_000)
  }
})

test('property: nothing stays counted', () => {
  const step = fc.record({ worker: fc.nat(1), pause: fc.nat(2_500), ends: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { limits, clock } = setUp({ floor: 3, most: 3 })
      const held: [number, number][] = []
      for (const { worker, pause, ends } of steps) {
        clock.advance(pause)
        const admitted = ends ? SHED : limits[worker]!.admit(1)
        if (admitted !== SHED) held.push([worker, admitted])
        const first = ends ? held.shift() : undefined
        if (first !== undefined) limits[first[0]]!.release(first[1])
        limits[worker]!.ended!(outcome(1))
      }
      for (const [worker, admitted] of held) limits[worker]!.release(admitted)
      clock.advance(2_000)
      const room = [0, 0, 0, 0].map(() => limits[0]!.admit(1) !== SHED)
      assert.deepEqual(room, [true, true, true, false])
    }),
  )
})

test('slow uploads, fast failures and early disconnects do not affect the usual duration', () => {
  const { limits, clock } = setUp({ floor: 10, most: 1_000 })
  const [limit] = limits
  const run = (each: Outcome): void => {
    for (let i = 0; i < 200; i++) {
      const admitted = limit!.admit(1)
      clock.advance(5)
      limit!.ended!(each)
      limit!.release(admitted)
    }
  }
  const fill = (): number => {
    const admitted: number[] = []
    for (let one = limit!.admit(1); one !== SHED && admitted.length < 2_000; one = limit!.admit(1)) admitted.push(one)
    for (const each of admitted) limit!.release(each)
    return admitted.length
  }
  run(outcome(50))
  const before = fill()
  for (const other of [
    outcome(60_000, { streamed: true }),
    outcome(1, { fault: 'instance', status: 0 }),
    outcome(1, { status: 503 }),
    outcome(2_000, { fault: 'instance', reason: 'connect' }),
    outcome(20, { fault: 'client' }),
  ]) {
    run(other)
    assert.ok(fill() >= before)
  }
})

test('a service has the same place in all workers by its name, and without room for it, each worker has its own limit', () => {
  const board = HealthBoard.create(1)
  const names = Array.from({ length: 40 }, (_, i) => `service-${i}`)
  const places = names.map((name) => board.loads.of(name).counters)
  places.forEach((place, i) => (place[6] = i + 1))
  const again = names.map((name) => new HealthBoard(board.buffer).loads.of(name).counters[6])
  assert.deepEqual(
    again.filter((value) => value !== 0).toSorted((a, b) => a! - b!),
    Array.from({ length: 16 }, (_, i) => i + 1),
  )
  assert.deepEqual(
    places.map((place) => place[6]),
    names.map((_, i) => i + 1),
  )
})

test('a service without a place of its own does not share budgets with others', () => {
  const board = HealthBoard.create(1)
  const loads = Array.from({ length: 40 }, (_, i) => board.loads.of(`service-${i}`))
  for (const [i, { retries, slot }] of loads.entries()) for (let n = 0; n <= i; n++) retries.add(slot, 1, 0)
  assert.deepEqual(
    loads.map(({ retries, slot }) => retries.sum(slot, 1, 0)),
    loads.map((_, i) => i + 1),
  )
})

test('there is a place for the maximum number of services', () => {
  assert.ok(ServiceLoads.placesFor(HealthBoard.for(0, 1).size) >= MAX_SERVICES)
})
