import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { seeded } from '../../../test/support/simulation.ts'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import type { BalancerKind } from './balancer.ts'
import { balancers } from './index.ts'
import { seenFrom, ZoneFirst } from './zone-first.ts'

type Placed = Instance & { readonly zone: string | null }

/** Instances in those zones, as a gateway in zone a sees them. */
function see(
  zones: readonly (string | null)[],
  kind: BalancerKind = balancers['round-robin'],
  weights: readonly number[] = [],
) {
  const board = HealthBoard.create(zones.length)
  const instances = zones.map((zone, slot): Placed => {
    const host = `${zone}-${slot}`
    return { address: `${host}:80`, host, port: 80, weight: weights[slot] ?? 1, inFlight: 0, slot, zone }
  })
  const zoned = seenFrom('a', instances, ({ zone }) => zone)
  assert.ok(zoned !== null)
  const tools = { clock: new ManualClock(), random: seeded(1) }
  const balancer = new ZoneFirst(zoned, kind, board, tools, null)
  const pick = (tried: Placed[] | null = null): Placed | null => balancer.pick(makeExchange(), tried)
  /** How many of so many requests each zone gets. */
  const spread = (requests: number): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (let i = 0; i < requests; i++) {
      const zone = pick()?.zone ?? 'none'
      counts[zone] = (counts[zone] ?? 0) + 1
    }
    return counts
  }
  const fail = (...slots: readonly number[]): void => {
    for (const slot of slots) board.set(slot, 'unhealthy')
  }
  return { board, instances, pick, spread, fail }
}

/** A part of a request is left over at most. */
function assertAbout(counts: Record<string, number>, wanted: Record<string, number>): void {
  for (const [zone, count] of Object.entries(wanted)) assert.ok(Math.abs((counts[zone] ?? 0) - count) <= 1, zone)
}

for (const [name, kind] of Object.entries(balancers))
  test(`requests stay in the zone if it has its share of capacity: ${name}`, () => {
    assert.deepEqual(see(['a', 'a', 'b', 'b', 'c', 'c'], kind).spread(60), { a: 60 })
  })

test('a zone with less than 1/1.4 of its share gets 1.4 times its capacity, and other zones the rest', () => {
  const { spread, fail } = see(['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'])
  assert.deepEqual(spread(90), { a: 90 })
  fail(0)
  // 2 of 8 usable ones, which are 2.67 a zone: 1/1.4 of that is 1.9.
  assert.deepEqual(spread(90), { a: 90 })
  fail(1)
  // 1 of 7 usable ones: 1.4 * 1 / (7 / 3) is 0.6.
  assertAbout(spread(1000), { a: 600, b: 200, c: 200 })
  fail(2)
  assert.deepEqual(spread(90), { b: 45, c: 45 })
})

test('weights are the capacity', () => {
  assertAbout(see(['a', 'b'], balancers['round-robin'], [1, 4]).spread(1000), { a: 560, b: 440 })
  assert.deepEqual(see(['a', 'b'], balancers['round-robin'], [5, 4]).spread(90), { a: 90 })
})

test('after all instances of the zone were tried, another zone is used', () => {
  const { instances, pick } = see(['a', 'b'])
  const [near] = instances
  assert.equal(pick(), near)
  assert.equal(pick([near!])?.zone, 'b')
  assert.equal(pick(instances), null)
})

test('requests return to the zone when its instances recover', () => {
  const { board, spread, fail } = see(['a', 'b'])
  fail(0)
  assert.deepEqual(spread(10), { b: 10 })
  board.set(0, 'healthy')
  assert.deepEqual(spread(10), { a: 10 })
})

test("zones have no effect with a single zone, without instances in the gateway's zone, or without a zone of the gateway", () => {
  const instances = see(['a', 'b']).instances
  const zoneOf = ({ zone }: Placed): string | null => zone
  assert.equal(seenFrom(null, instances, zoneOf), null)
  assert.equal(seenFrom('c', instances, zoneOf), null)
  assert.equal(seenFrom('a', instances.slice(0, 1), zoneOf), null)
})

test('property: an instance is picked as long as one is usable', () => {
  const instance = fc.record({
    zone: fc.constantFrom('a', 'b', 'c', null),
    weight: fc.integer({ min: 1, max: 9 }),
    sound: fc.boolean(),
  })
  const some = fc
    .array(instance, { minLength: 2, maxLength: 12 })
    .filter((all) => all.some(({ zone }) => zone === 'a') && all.some(({ zone }) => zone !== 'a'))
  fc.assert(
    fc.property(some, fc.constantFrom(...Object.values(balancers)), (all, kind) => {
      const { pick, fail } = see(
        all.map(({ zone }) => zone),
        kind,
        all.map(({ weight }) => weight),
      )
      for (const [slot, { sound }] of all.entries()) if (!sound) fail(slot)
      const sound = all.filter((each) => each.sound).length
      const tried: Placed[] = []
      for (let i = 0; i < sound; i++) {
        const picked = pick(tried)
        assert.ok(picked !== null && all[picked.slot]?.sound === true && !tried.includes(picked))
        tried.push(picked)
      }
      assert.equal(pick(tried), null)
    }),
  )
})
