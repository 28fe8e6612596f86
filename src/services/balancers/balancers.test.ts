import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import * as fc from 'fast-check'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { seeded } from '../../../test/support/simulation.ts'
import type { BalancedRequest } from './balancer.ts'
import { Candidates } from './candidates.ts'
import { balancers } from './index.ts'

/** A request of one of so many clients that hardly two come from the same. */
function requestOf(client: number): BalancedRequest {
  const address = `10.${(client >> 16) & 255}.${(client >> 8) & 255}.${client & 255}`
  return makeExchange({ client: { ...makeExchange().client, address } })
}

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
    const balancer = kind.create(new Candidates(instances, board), { clock: new ManualClock(), random }, null)
    let client = 0
    return {
      board,
      instances,
      balancer,
      pick: (tried: Instance[] | null = null) => balancer.pick(requestOf(client++), tried),
    }
  }

  suite(`the contract of every balancer: ${name}`, () => {
    test('picks an instance that was never checked', () => {
      const { pick, instances } = setUp([1])
      assert.equal(pick(), instances[0])
    })

    test('picks nothing from a service without instances', () => {
      assert.equal(setUp([]).pick(), null)
    })

    test('picks nothing if all are unhealthy, and recovers with the first healthy one', () => {
      const { pick, board, instances } = setUp([2, 1, 1])
      for (const { slot } of instances) board.set(slot, 'unhealthy')
      assert.equal(pick(), null)
      board.set(1, 'healthy')
      assert.equal(pick(), instances[1])
    })

    test('stops picking an instance with the pick after it became unhealthy', () => {
      const { pick, board, instances } = setUp([1, 1, 1])
      for (let i = 0; i < 100; i++) pick()
      board.set(2, 'unhealthy')
      for (let i = 0; i < 100; i++) assert.notEqual(pick(), instances[2])
    })

    test('picks an instance again once it is healthy', () => {
      const { pick, board, instances } = setUp([1, 1, 1])
      board.set(2, 'unhealthy')
      for (let i = 0; i < 100; i++) pick()
      board.set(2, 'healthy')
      const picked = new Set(Array.from({ length: 100 }, () => pick()))
      assert.deepEqual(picked, new Set(instances))
    })

    test('continues with one instance when the others fail', () => {
      const { pick, board, instances } = setUp([5, 1, 1])
      for (let i = 0; i < 6; i++) pick()
      board.set(0, 'unhealthy')
      board.set(2, 'unhealthy')
      for (let i = 0; i < 10; i++) assert.equal(pick(), instances[1])
      assert.equal(pick([instances[1]!]), null)
    })

    test('never picks an instance of weight 0, even if no other is left', () => {
      const { pick, board, instances } = setUp([0, 1, 1])
      for (let i = 0; i < 100; i++) assert.notEqual(pick(), instances[0])
      board.set(1, 'unhealthy')
      board.set(2, 'unhealthy')
      assert.equal(pick(), null)
    })

    test('continues when the configuration changes the instances', () => {
      const before = setUp([1, 1])
      for (let i = 0; i < 3; i++) before.pick()
      const board = HealthBoard.create(3)
      const instances = instancesOf([1, 1, 1])
      const tools = { clock: new ManualClock(), random: seeded(1) }
      for (const previous of [
        before.balancer,
        ...Object.values(balancers).map((other) => other.create(new Candidates(instances, board), tools, null)),
      ]) {
        const next = kind.create(new Candidates(instances, board), tools, previous)
        const picked = new Set(Array.from({ length: 100 }, (_, i) => next.pick(requestOf(i), null)))
        assert.deepEqual(picked, new Set(instances))
      }
    })

    for (const weights of [[1], [1, 1, 1], [3, 1], [5, 1, 1], [0.5, 1.5, 2]])
      test(`shares 10,000 picks in proportion to the weights ${weights.join(', ')}`, () => {
        const { pick, instances } = setUp(weights)
        const counts = new Map(instances.map((instance) => [instance, 0]))
        for (let i = 0; i < 10_000; i++) {
          const picked = pick()!
          counts.set(picked, counts.get(picked)! + 1)
        }
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        for (const [{ weight, address }, count] of counts)
          assert.ok(Math.abs(count / 10_000 - weight / total) < 0.03, `${address}: ${count} picks for weight ${weight}`)
      })

    test('property: never picks an unhealthy or tried instance, and finds one if there is one', () => {
      const cell = fc.record({
        weight: fc.integer({ min: 1, max: 5 }),
        inFlight: fc.nat(3),
        healthy: fc.boolean(),
        tried: fc.boolean(),
      })
      fc.assert(
        fc.property(fc.array(cell, { maxLength: 6 }), fc.nat(), (cells, seed) => {
          const { pick, board, instances } = setUp(
            cells.map(({ weight }) => weight),
            seeded(seed),
          )
          cells.forEach(({ inFlight }, i) => (instances[i]!.inFlight = inFlight))
          pick()
          cells.forEach(({ healthy }, i) => board.set(i, healthy ? 'healthy' : 'unhealthy'))
          const tried = instances.filter((_, i) => cells[i]!.tried)
          const allowed = instances.filter((_, i) => cells[i]!.healthy && !cells[i]!.tried)
          for (let i = 0; i < 5; i++) {
            const picked = pick(tried)
            if (allowed.length === 0) assert.equal(picked, null)
            else assert.ok(picked !== null && allowed.includes(picked))
          }
        }),
      )
    })
  })
}
