import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import * as fc from 'fast-check'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { seeded } from '../../../test/support/simulation.ts'
import { Candidates } from './candidates.ts'
import { balancers } from './index.ts'

const request = makeExchange()

function instancesOf(weights: readonly number[]): (Instance & { inFlight: number })[] {
  return weights.map((weight, slot) => {
    const host = `instance-${slot}`
    return { address: `${host}:80`, host, port: 80, weight, inFlight: 0, slot }
  })
}

for (const [name, kind] of Object.entries(balancers)) {
  const setUp = (weights: readonly number[], random = seeded(1)) => {
    const board = HealthBoard.create(weights.length)
    const instances = instancesOf(weights)
    return { board, instances, balancer: kind.create(new Candidates(instances, board), { random }, null) }
  }

  suite(`the contract of every balancer: ${name}`, () => {
    test('picks an instance that was never checked', () => {
      const { balancer, instances } = setUp([1])
      assert.equal(balancer.pick(request, null), instances[0])
    })

    test('has nothing to pick from a service without instances', () => {
      assert.equal(setUp([]).balancer.pick(request, null), null)
    })

    test('has nothing to pick when all are unhealthy, and recovers with the first that is healthy', () => {
      const { balancer, board, instances } = setUp([2, 1, 1])
      for (const { slot } of instances) board.set(slot, 'unhealthy')
      assert.equal(balancer.pick(request, null), null)
      board.set(1, 'healthy')
      assert.equal(balancer.pick(request, null), instances[1])
    })

    test('stops picking an instance with the pick after it became unhealthy', () => {
      const { balancer, board, instances } = setUp([1, 1, 1])
      for (let i = 0; i < 100; i++) balancer.pick(request, null)
      board.set(2, 'unhealthy')
      for (let i = 0; i < 100; i++) assert.notEqual(balancer.pick(request, null), instances[2])
    })

    test('picks an instance again once it is healthy', () => {
      const { balancer, board, instances } = setUp([1, 1, 1])
      board.set(2, 'unhealthy')
      for (let i = 0; i < 100; i++) balancer.pick(request, null)
      board.set(2, 'healthy')
      const picked = new Set(Array.from({ length: 100 }, () => balancer.pick(request, null)))
      assert.deepEqual(picked, new Set(instances))
    })

    test('goes on with one instance when the others fall away', () => {
      const { balancer, board, instances } = setUp([5, 1, 1])
      for (let i = 0; i < 6; i++) balancer.pick(request, null)
      board.set(0, 'unhealthy')
      board.set(2, 'unhealthy')
      for (let i = 0; i < 10; i++) assert.equal(balancer.pick(request, null), instances[1])
      assert.equal(balancer.pick(request, [instances[1]!]), null)
    })

    for (const weights of [[1], [1, 1, 1], [3, 1], [5, 1, 1], [0.5, 1.5, 2]])
      test(`shares 10,000 picks in proportion to the weights ${weights.join(', ')}`, () => {
        const { balancer, instances } = setUp(weights)
        const counts = new Map(instances.map((instance) => [instance, 0]))
        for (let i = 0; i < 10_000; i++) {
          const picked = balancer.pick(request, null)!
          counts.set(picked, counts.get(picked)! + 1)
        }
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        for (const [{ weight, address }, count] of counts)
          assert.ok(Math.abs(count / 10_000 - weight / total) < 0.03, `${address}: ${count} picks for weight ${weight}`)
      })

    test('never picks an instance that is unhealthy or was tried, and finds one whenever there is one', () => {
      const cell = fc.record({
        weight: fc.integer({ min: 1, max: 5 }),
        inFlight: fc.nat(3),
        healthy: fc.boolean(),
        tried: fc.boolean(),
      })
      fc.assert(
        fc.property(fc.array(cell, { maxLength: 6 }), fc.nat(), (cells, seed) => {
          const { balancer, board, instances } = setUp(
            cells.map(({ weight }) => weight),
            seeded(seed),
          )
          cells.forEach(({ inFlight }, i) => (instances[i]!.inFlight = inFlight))
          balancer.pick(request, null)
          cells.forEach(({ healthy }, i) => board.set(i, healthy ? 'healthy' : 'unhealthy'))
          const tried = instances.filter((_, i) => cells[i]!.tried)
          const allowed = instances.filter((_, i) => cells[i]!.healthy && !cells[i]!.tried)
          for (let i = 0; i < 5; i++) {
            const picked = balancer.pick(request, tried)
            if (allowed.length === 0) assert.equal(picked, null)
            else assert.ok(picked !== null && allowed.includes(picked))
          }
        }),
      )
    })
  })
}
