import assert from 'node:assert/strict'
import test from 'node:test'
import {
  array,
  assert as check,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
} from 'fast-check'
import { cases } from '../../../test/support/cases.ts'
import { setUpPassive } from '../../../test/support/passive.ts'

const ends = [200, 200, 200, 404, 500, 502, 503, 504, 'connect', 'closed', 'timeout'] as const

/** What may happen to one of up to six instances. */
const step = oneof(
  {
    weight: 8,
    arbitrary: record({
      kind: constant('ask' as const),
      slot: nat(5),
      end: constantFrom(...ends),
      times: integer({ min: 1, max: 30 }),
      worker: nat(2),
    }),
  },
  { weight: 2, arbitrary: record({ kind: constant('pass' as const), ms: nat(60_000) }) },
  { weight: 1, arbitrary: record({ kind: constant('check' as const), slot: nat(5), healthy: boolean() }) },
  { weight: 1, arbitrary: record({ kind: constant('drain' as const), slot: nat(5), drained: boolean() }) },
  { weight: 1, arbitrary: record({ kind: constant('die' as const), worker: nat(2) }) },
)

const parts = record({
  weights: array(constantFrom(0, 1, 1, 3), { minLength: 1, maxLength: 6 }),
  options: record({
    consecutive: integer({ min: 1, max: 6 }),
    volume: integer({ min: 1, max: 30 }),
    most: constantFrom(0.01, 0.34, 0.5, 1),
    eject: constantFrom(100, 5_000, 30_000),
  }),
})

test('property: the last usable instance is never ejected, nor more than the maximum, and every ejection ends', () => {
  check(
    property(parts, array(step, { maxLength: 60 }), ({ weights, options }, steps) => {
      const service = setUpPassive({ weights, options, workers: 3 })
      const { board, clock, instances, ask } = service
      const weighted = instances.filter(({ weight }) => weight > 0)
      const most = Math.max(1, Math.floor(weighted.length * options.most + 1e-9))
      const outOf = () => instances.filter(({ slot }) => board.ejections.isEjected(slot))
      const usable = () => weighted.filter(({ slot }) => board.usable(slot))
      for (const each of steps) {
        const before = outOf().length
        const slot = 'slot' in each ? each.slot % weights.length : 0
        if (each.kind === 'ask') for (let i = 0; i < each.times; i++) ask(slot, each.end, each.worker)
        if (each.kind === 'pass') clock.advance(each.ms)
        if (each.kind === 'check') board.set(slot, each.healthy ? 'healthy' : 'unhealthy')
        if (each.kind === 'drain') board.drain(slot, each.drained)
        if (each.kind === 'die') board.forget(each.worker)
        const out = outOf()
        if (out.length > before) {
          assert.ok(out.length <= most, `${out.length} of ${weights.length} are ejected`)
          assert.ok(usable().length > 0, 'the last one is ejected')
        }
        for (const { slot: at } of instances) {
          const { good, errors, unavailable } = board.replies.tally(at, Math.floor((8 * clock.now()) / 10_000))
          assert.ok(good >= 0 && errors >= 0 && unavailable >= 0 && board.replies.waiting(at) >= 0)
          const ejection = board.ejections.of(at)
          if (ejection === null) continue
          assert.ok(ejection.until > ejection.since && ejection.until - ejection.since <= 300_000)
        }
      }
      clock.advance(300_500)
      assert.deepEqual(outOf(), [])
    }),
    { numRuns: cases(30) },
  )
})
