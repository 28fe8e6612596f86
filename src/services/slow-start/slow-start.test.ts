import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { percentile, seeded, simulate, type Simulation } from '../../../test/support/simulation.ts'
import type { Balancer, BalancerKind } from '../balancers/balancer.ts'
import { Candidates } from '../balancers/candidates.ts'
import { balancers } from '../balancers/index.ts'
import { leastRequests } from '../balancers/least-requests.ts'
import { roundRobin } from '../balancers/round-robin.ts'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import { SlowStart } from './slow-start.ts'

const WINDOW = 30_000

function instancesOf(count: number, inFlight: (slot: number) => number = () => 0): Instance[] {
  return Array.from({ length: count }, (_, slot) => {
    const host = `instance-${slot}`
    return { address: `${host}:80`, host, port: 80, weight: 1, inFlight: inFlight(slot), slot }
  })
}

function setUp(kind: BalancerKind, count = 4) {
  const board = HealthBoard.create(count)
  const clock = new ManualClock()
  const tools = { clock, random: seeded(3) }
  const instances = instancesOf(count)
  const make = (known: readonly Instance[] | null, previous: SlowStart<Instance> | null, all = instances) => {
    const candidates = new Candidates(all, board)
    return new SlowStart(kind.create(candidates, tools, null), candidates, tools, WINDOW, {
      list: known,
      slowStart: previous,
    })
  }
  let client = 0
  /** Its part of ten thousand picks. */
  const part = (balancer: Balancer<Instance>, slot: number): number => {
    let picks = 0
    for (let i = 0; i < 10_000; i++) {
      const address = `10.0.${(client >> 8) & 255}.${client++ & 255}`
      const request = makeExchange({ client: { ...makeExchange().client, address } })
      if (balancer.pick(request, null)?.slot === slot) picks++
    }
    return picks / 10_000
  }
  return { board, clock, instances, make, part }
}

function assertNear(measured: number, expected: number): void {
  assert.ok(Math.abs(measured - expected) < 0.03, `${measured} is not ${expected}`)
}

for (const [name, kind] of Object.entries(balancers))
  suite(`slow start with ${name}`, () => {
    test('gives a recovered instance a tenth of its share at first, and all of it in the end', () => {
      const { board, clock, make, part } = setUp(kind)
      board.set(3, 'unhealthy')
      const balancer = make(null, null)
      assert.equal(part(balancer, 3), 0)
      board.set(3, 'healthy')
      assertNear(part(balancer, 3), 0.025)
      clock.advance(WINDOW / 2)
      assertNear(part(balancer, 3), 0.125)
      clock.advance(WINDOW / 2)
      assertNear(part(balancer, 3), 0.25)
    })

    test('applies to an added instance, and continues in the next configuration', () => {
      const { clock, make, part, instances } = setUp(kind)
      const first = make(instances.slice(0, 3), null)
      assertNear(part(first, 3), 0.025)
      clock.advance(WINDOW / 2)
      assertNear(part(make(instances, first), 3), 0.125)
    })

    test('does not apply when the gateway starts', () => {
      const { make, part } = setUp(kind)
      assertNear(part(make(null, null), 3), 0.25)
    })
  })

test('if all instances are new, or no other is left, they get all requests', () => {
  const { make, board, instances } = setUp(roundRobin)
  const balancer = make([], null)
  for (let i = 0; i < 100; i++) assert.notEqual(balancer.pick(makeExchange(), null), null)
  for (const slot of [0, 1, 2]) board.set(slot, 'unhealthy')
  for (let i = 0; i < 100; i++) assert.equal(balancer.pick(makeExchange(), null), instances[3])
  assert.equal(balancer.pick(makeExchange(), [instances[3]!]), null)
})

test('an instance with more than its share of requests in flight gets no more', () => {
  const { make, board, clock } = setUp(leastRequests)
  board.set(3, 'unhealthy')
  const all = instancesOf(4, (slot) => (slot === 3 ? 2 : 10))
  const balancer = make(null, null, all)
  board.set(3, 'healthy')
  const picks = (): number =>
    Array.from({ length: 1_000 }, () => balancer.pick(makeExchange(), null)).filter((picked) => picked === all[3])
      .length
  assert.equal(picks(), 0)
  clock.advance(WINDOW / 2)
  assert.ok(picks() > 400, 'half of the average is 4')
})

test('property: a usable instance that was not tried is picked if there is one', () => {
  const step = fc.record({ slot: fc.nat(3), healthy: fc.boolean(), pause: fc.nat(20_000), tried: fc.nat(4) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { board, clock, make, instances } = setUp(leastRequests)
      const balancer = make(instances.slice(0, 2), null)
      for (const { slot, healthy, pause, tried } of steps) {
        board.set(slot, healthy ? 'healthy' : 'unhealthy')
        clock.advance(pause)
        const before = instances.slice(0, tried)
        const allowed = instances.filter((each) => board.usable(each.slot) && !before.includes(each))
        const picked = balancer.pick(makeExchange(), before)
        assert.equal(picked === null, allowed.length === 0)
        assert.ok(picked === null || allowed.includes(picked))
      }
    }),
  )
})

suite('a fifth instance joins four at 60% load, eight times slower at first, and warms up within 30 s', () => {
  const joining: Omit<Simulation, 'kind'> = {
    workers: 1,
    shared: true,
    means: Array.from(
      { length: 5 },
      (_, slot) => (now) => (slot < 4 ? 10 : 10 * Math.max(1, 8 - (7 * (now - 20_000)) / 30_000)),
    ),
    joins: [0, 0, 0, 0, 20_000],
    measured: [20_000, 50_000],
    slots: 4,
    rate: 0.96,
    duration: 60_000,
    seed: 9,
  }
  const slowly = (kind: BalancerKind): BalancerKind => ({
    summary: '',
    create: (candidates, tools) =>
      new SlowStart(kind.create(candidates, tools, null), candidates, tools, WINDOW, { list: null, slowStart: null }),
  })

  const near = (measured: number, expected: number): void =>
    assert.ok(Math.abs(measured / expected - 1) <= 0.1, `${measured.toFixed(1)} ms is not ${expected} ms`)

  test('round-robin: 5% wait for 13 s without slow start, and at most 33 ms with it', () => {
    near(percentile(simulate({ ...joining, kind: roundRobin }), 0.95), 13_000)
    near(percentile(simulate({ ...joining, kind: slowly(roundRobin) }), 0.95), 33)
  })

  test('least-requests: 1% take 81 ms without slow start, and 60 ms with it', () => {
    near(percentile(simulate({ ...joining, kind: leastRequests }), 0.99), 81)
    near(percentile(simulate({ ...joining, kind: slowly(leastRequests) }), 0.99), 60)
  })
})
