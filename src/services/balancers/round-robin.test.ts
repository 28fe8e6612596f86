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

test('equal instances take turns in the order of the configuration', () => {
  assert.equal(setUp([1, 1, 1]).picks(7), 'a b c a b c a')
})

test('weights that are equal but not 1 take turns just the same', () => {
  assert.equal(setUp([3, 3]).picks(4), 'a b a b')
})

test('a heavy instance gets its turns spread between those of the others', () => {
  assert.equal(setUp([5, 1, 1]).picks(14), 'a a b a c a a a a b a c a a')
})

test('whole rounds give each instance exactly its weight', () => {
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

test('the turns go on where they were when the health of another service changes', () => {
  const { board, picks } = setUp([5, 1, 1])
  assert.equal(picks(3), 'a a b')
  board.set(3, 'unhealthy')
  assert.equal(picks(4), 'a c a a')
})

test('the turns go on with those that are left when an instance falls away', () => {
  const { board, picks } = setUp([1, 1, 1])
  assert.equal(picks(1), 'a')
  board.set(1, 'unhealthy')
  assert.equal(picks(4), 'c a c a')
})

test('the turns go on where they were in the next configuration, wherever the instances stand in it', () => {
  const before = setUp([1, 1, 1])
  assert.equal(before.picks(1), 'a')
  assert.equal(setUp([1, 1, 1, 1], 'dcba', before.balancer).picks(4), 'b a d c')
})

test('where the next in turn is gone, the one behind it has the turn', () => {
  const before = setUp([1, 1, 1])
  assert.equal(before.picks(1), 'a')
  assert.equal(setUp([1, 1], 'ac', before.balancer).picks(2), 'c a')
  assert.equal(setUp([1, 1], 'xy', before.balancer).picks(2), 'x y')
})

test('weights go on from what was saved up where they are the same, and begin anew where they are not', () => {
  const before = setUp([5, 1, 1])
  assert.equal(before.picks(3), 'a a b')
  assert.equal(setUp([1, 5, 1], 'bac', before.balancer).picks(4), 'a c a a')
  assert.equal(setUp([5, 1, 2], 'abc', before.balancer).picks(8), setUp([5, 1, 2]).picks(8))
})

test('a retry goes to the next in turn', () => {
  const { balancer, instances } = setUp([1, 1, 1])
  const first = balancer.pick(request, null)!
  const second = balancer.pick(request, [first])!
  const third = balancer.pick(request, [first, second])!
  assert.deepEqual([first, second, third], instances)
  assert.equal(balancer.pick(request, [first, second, third]), null)
})

test('how many requests instances have makes no difference', () => {
  const { balancer, instances } = setUp([1, 1])
  const busy = { ...instances[0]!, inFlight: 100 }
  const board = HealthBoard.create(2)
  const counting = roundRobin.create(new Candidates([busy, instances[1]!], board), tools, balancer)
  assert.deepEqual([counting.pick(request, null), counting.pick(request, null)], [busy, instances[1]])
})

test('the turn goes on where another balancer had it before', () => {
  const before = setUp([1, 1, 1])
  const board = HealthBoard.create(3)
  const counting = leastRequests.create(new Candidates(before.instances, board), tools, null)
  assert.equal(counting.pick(request, null)!.host, 'a')
  assert.equal(setUp([1, 1, 1], 'abc', counting).picks(3), 'b c a')
})
