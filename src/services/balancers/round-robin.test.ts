import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../../testing/manual-clock.ts'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import type { Balancer } from './balancer.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { Candidates } from './candidates.ts'
import { leastRequests } from './least-requests.ts'
import { roundRobin } from './round-robin.ts'

const request = makeExchange()
const tools = { clock: new ManualClock(), random: () => 0 }

function setUp(weights: readonly number[], hosts = 'abcdef', previous: Balancer<Instance> | null = null) {
  const board = HealthBoard.create(weights.length + 1)
  const instances = weights.map((weight, slot): Instance => {
    const host = hosts[slot]!
    return { address: `${host}:80`, host, port: 80, weight, inFlight: 0, slot }
  })
  const balancer = roundRobin.create(new Candidates(instances, board), tools, previous)
  const picks = (count: number): string =>
    Array.from({ length: count }, () => balancer.pick(request, null)?.host).join(' ')
  return { balancer, board, instances, picks }
}

test('equal instances take turns in configuration order', () => {
  assert.equal(setUp([1, 1, 1]).picks(7), 'a b c a b c a')
})

test('equal weights other than 1 make no difference', () => {
  assert.equal(setUp([3, 3]).picks(4), 'a b a b')
})

test('the turns of a heavy instance are spread between the others', () => {
  assert.equal(setUp([5, 1, 1]).picks(14), 'a a b a c a a a a b a c a a')
})

test('property: each full round gives every instance exactly its weight', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), (weights) => {
      const { instances, picks } = setUp(weights)
      const round = weights.reduce((sum, weight) => sum + weight, 0)
      const hosts = picks(3 * round).split(' ')
      for (const { host, weight } of instances)
        assert.equal(hosts.filter((picked) => picked === host).length, 3 * weight)
    }),
  )
})

test('turns continue when the health of another service changes', () => {
  const { board, picks } = setUp([5, 1, 1])
  assert.equal(picks(3), 'a a b')
  board.set(3, 'unhealthy')
  assert.equal(picks(4), 'a c a a')
})

test('turns continue with the remaining instances when one fails', () => {
  const { board, picks } = setUp([1, 1, 1])
  assert.equal(picks(1), 'a')
  board.set(1, 'unhealthy')
  assert.equal(picks(4), 'c a c a')
})

test('turns continue in the next configuration, whatever the order of instances', () => {
  const before = setUp([1, 1, 1])
  assert.equal(before.picks(1), 'a')
  assert.equal(setUp([1, 1, 1, 1], 'dcba', before.balancer).picks(4), 'b a d c')
})

test('if the next instance is removed, the one after it is next', () => {
  const before = setUp([1, 1, 1])
  assert.equal(before.picks(1), 'a')
  assert.equal(setUp([1, 1], 'ac', before.balancer).picks(2), 'c a')
  assert.equal(setUp([1, 1], 'xy', before.balancer).picks(2), 'x y')
})

test('accumulated turns are kept if the weights are the same, and reset otherwise', () => {
  const before = setUp([5, 1, 1])
  assert.equal(before.picks(3), 'a a b')
  assert.equal(setUp([1, 5, 1], 'bac', before.balancer).picks(4), 'a c a a')
  assert.equal(setUp([5, 1, 2], 'abc', before.balancer).picks(8), setUp([5, 1, 2]).picks(8))
})

test('a retry goes to the next instance', () => {
  const { balancer, instances } = setUp([1, 1, 1])
  const first = balancer.pick(request, null)!
  const second = balancer.pick(request, [first])!
  const third = balancer.pick(request, [first, second])!
  assert.deepEqual([first, second, third], instances)
  assert.equal(balancer.pick(request, [first, second, third]), null)
})

test('requests in flight make no difference', () => {
  const { balancer, instances } = setUp([1, 1])
  const busy = { ...instances[0]!, inFlight: 100 }
  const board = HealthBoard.create(2)
  const counting = roundRobin.create(new Candidates([busy, instances[1]!], board), tools, balancer)
  assert.deepEqual([counting.pick(request, null), counting.pick(request, null)], [busy, instances[1]])
})

test('turns continue from another balancer', () => {
  const before = setUp([1, 1, 1])
  const board = HealthBoard.create(3)
  const counting = leastRequests.create(new Candidates(before.instances, board), tools, null)
  assert.equal(counting.pick(request, null)!.host, 'a')
  assert.equal(setUp([1, 1, 1], 'abc', counting).picks(3), 'b c a')
})
