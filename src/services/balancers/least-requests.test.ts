import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import { Candidates } from './candidates.ts'
import { leastRequests } from './least-requests.ts'

const request = makeExchange()
const tools = { clock: new ManualClock(), random: () => 0 }

function setUp(loads: readonly { weight?: number; inFlight: number }[]) {
  const instances = loads.map(({ weight = 1, inFlight }, slot) => {
    const host = `instance-${slot}`
    return { address: `${host}:80`, host, port: 80, slot, weight, inFlight }
  })
  const candidates = new Candidates<Instance>(instances, HealthBoard.create(loads.length))
  const balancer = leastRequests.create(candidates, tools, null)
  const picks = (count: number): (number | undefined)[] =>
    Array.from({ length: count }, () => balancer.pick(request, null)?.slot)
  return { instances, balancer, picks }
}

test('the instance with the fewest requests in flight is picked, whatever its position', () => {
  for (const least of [0, 1, 2, 3]) {
    const { picks } = setUp([0, 1, 2, 3].map((i) => ({ inFlight: i === least ? 2 : 3 })))
    assert.deepEqual(picks(3), [least, least, least])
  }
})

test('sequential requests are distributed round-robin', () => {
  assert.deepEqual(setUp([{ inFlight: 0 }, { inFlight: 0 }, { inFlight: 0 }]).picks(7), [0, 1, 2, 0, 1, 2, 0])
})

test('instances with equally few requests take turns', () => {
  const { picks } = setUp([{ inFlight: 5 }, { inFlight: 2 }, { inFlight: 9 }, { inFlight: 2 }])
  assert.deepEqual(picks(4), [1, 3, 1, 3])
})

test('requests in flight count in proportion to the weight', () => {
  const heavy = setUp([
    { weight: 4, inFlight: 7 },
    { weight: 1, inFlight: 2 },
  ])
  assert.deepEqual(heavy.picks(2), [0, 0])
  const light = setUp([
    { weight: 4, inFlight: 9 },
    { weight: 1, inFlight: 2 },
  ])
  assert.deepEqual(light.picks(2), [1, 1])
})

test('instances with equal load and different weights take turns by weight', () => {
  const { picks } = setUp([
    { weight: 2, inFlight: 4 },
    { weight: 1, inFlight: 2 },
    { weight: 9, inFlight: 99 },
  ])
  assert.deepEqual(picks(6), [0, 1, 0, 0, 1, 0])
})

test('property: the picked instance has the lowest load for its weight', () => {
  const cell = fc.record({ weight: fc.integer({ min: 1, max: 5 }), inFlight: fc.nat(9) })
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 20 }), (loads, times) => {
      const { instances, picks } = setUp(loads)
      const least = Math.min(...loads.map(({ weight, inFlight }) => inFlight / weight))
      for (const slot of picks(times)) {
        const { inFlight, weight } = instances[slot!]!
        assert.equal(inFlight / weight, least)
      }
    }),
  )
})

test('among a thousand equal instances the next sixteen are compared', () => {
  const loads = Array.from({ length: 1000 }, (_, i) => ({ inFlight: i === 15 || i === 16 ? 1 : 2 }))
  assert.deepEqual(setUp(loads).picks(3), [15, 16, 17])
})

test('a retry goes to the only other instance, however busy', () => {
  const { balancer, instances } = setUp([{ inFlight: 0 }, { inFlight: 50 }])
  assert.equal(balancer.pick(request, [instances[0]!]), instances[1])
})
