import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../../testing/manual-clock.ts'
import { storeTools } from '../../../test/support/store-tools.ts'
import { algorithms, type Limit } from './meter.ts'
import { LimitStores } from './limit-stores.ts'
import { createKeys } from './redis/keys.ts'
import { countIdentities } from './count-states.ts'

const limits = fc.record<Limit>({
  name: fc.constantFrom('authenticated', 'authenticated@users'),
  algorithm: fc.constantFrom(...algorithms),
  quotas: fc.uniqueArray(
    fc.record({ limit: fc.integer({ min: 3, max: 9 }), window: fc.constantFrom(60_000, 3_600_000) }),
    { minLength: 1, maxLength: 2, selector: ({ window }) => window },
  ),
})

test('property: in memory, counts of a limit continue if and only if its identity stays the same', () => {
  fc.assert(
    fc.property(limits, limits, (before, after) => {
      const clock = new ManualClock()
      const stores = new LimitStores(storeTools({ entries: 1024, clock }))
      stores.localMeter(before).decide('alice', 2)
      const { quotas } = stores.localMeter(after).decide('alice', 0)
      const known = countIdentities(before.name, before.algorithm, before.quotas, 'memory')
      for (const [i, identity] of countIdentities(after.name, after.algorithm, after.quotas, 'memory').entries())
        assert.equal(quotas[i]!.remaining < after.quotas[i]!.limit, known.includes(identity))
    }),
  )
})

test('property: in Redis, the keys of a limit stay the same if and only if its identity does', () => {
  fc.assert(
    fc.property(limits, limits, (before, after) => {
      const known = countIdentities(before.name, before.algorithm, before.quotas, 'redis')
      const keys = createKeys(before)('alice')
      for (const [i, identity] of countIdentities(after.name, after.algorithm, after.quotas, 'redis').entries())
        assert.equal(keys.includes(createKeys(after)('alice')[i]!), known.includes(identity))
    }),
  )
})
