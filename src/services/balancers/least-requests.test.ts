import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import { Candidates } from './candidates.ts'
import { leastRequests } from './least-requests.ts'

function setUp(loads: readonly { weight: number; inFlight: number }[], ...draws: number[]) {
  const instances = loads.map((load, slot): Instance => {
    const host = `instance-${slot}`
    return { address: `${host}:80`, host, port: 80, slot, ...load }
  })
  let next = 0
  const random = (): number => draws[next++ % draws.length]!
  const candidates = new Candidates(instances, HealthBoard.create(loads.length))
  return { instances, balancer: leastRequests.create(candidates, { random }, null) }
}

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('of two instances the one with fewer requests in flight is picked, whatever is drawn', () => {
  fc.assert(
    fc.property(fraction, fraction, (one, two) => {
      const { balancer, instances } = setUp(
        [
          { weight: 1, inFlight: 3 },
          { weight: 1, inFlight: 2 },
        ],
        one,
        two,
      )
      assert.equal(balancer.pick(null), instances[1])
    }),
  )
})

test('requests in flight count in proportion to the weight', () => {
  fc.assert(
    fc.property(fraction, fraction, (one, two) => {
      const { balancer, instances } = setUp(
        [
          { weight: 4, inFlight: 7 },
          { weight: 1, inFlight: 2 },
        ],
        one,
        two,
      )
      assert.equal(balancer.pick(null), instances[0])
    }),
  )
})

test('the busiest of many is never picked', () => {
  fc.assert(
    fc.property(fraction, fraction, (one, two) => {
      const loads = [1, 2, 9, 3].map((inFlight) => ({ weight: 1, inFlight }))
      const { balancer, instances } = setUp(loads, one, two)
      assert.notEqual(balancer.pick(null), instances[2])
    }),
  )
})

test('only the two that are drawn are compared, so that no worker sends everything to one', () => {
  const loads = [5, 4, 0].map((inFlight) => ({ weight: 1, inFlight }))
  const { balancer, instances } = setUp(loads, 0, 0)
  assert.equal(balancer.pick(null), instances[1])
})

test('instances under the same load are picked as they are drawn', () => {
  const loads = [
    { weight: 3, inFlight: 0 },
    { weight: 1, inFlight: 0 },
  ]
  assert.equal(setUp(loads, 0.74).balancer.pick(null)!.slot, 0)
  assert.equal(setUp(loads, 0.75).balancer.pick(null)!.slot, 1)
})

test('a retry goes to the only other instance, however busy it is', () => {
  const { balancer, instances } = setUp(
    [
      { weight: 1, inFlight: 0 },
      { weight: 1, inFlight: 50 },
    ],
    0,
  )
  assert.equal(balancer.pick([instances[0]!]), instances[1])
})
