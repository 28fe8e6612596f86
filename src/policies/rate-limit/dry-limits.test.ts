import assert from 'node:assert/strict'
import test from 'node:test'
import { makeToolbox } from '../../../test/support/policy.ts'
import { DryLimits } from './dry-limits.ts'
import { algorithms, type Limit } from './meter.ts'

for (const algorithm of algorithms)
  test(`a dry decision equals the real one, and counts nothing: ${algorithm}`, async () => {
    const { limits } = makeToolbox()
    const limit: Limit = { name: 'three', algorithm, quotas: [{ limit: 3, window: 60_000 }] }
    const meter = limits.meter(limit, 'closed')
    const dry = new DryLimits(limits).meter(limit, 'closed')
    for (let i = 0; i < 5; i++) {
      const foreseen = await dry.decide('client', 1)
      assert.deepEqual(await dry.decide('client', 1), foreseen)
      const decided = await meter.decide('client', 1)
      assert.equal(foreseen!.admitted, decided!.admitted)
      assert.equal(foreseen!.quotas[0]!.remaining, decided!.quotas[0]!.remaining)
      assert.equal(foreseen!.quotas[0]!.wait > 0, !decided!.admitted)
    }
  })

test('a request that costs more than what is left is rejected with a wait', () => {
  const { limits } = makeToolbox()
  const limit: Limit = { name: 'three', algorithm: 'fixed-window', quotas: [{ limit: 3, window: 60_000 }] }
  const dry = new DryLimits(limits).localMeter(limit)
  assert.equal(dry.decide('client', 3).admitted, true)
  const refused = dry.decide('client', 4)
  assert.deepEqual([refused.admitted, refused.quotas[0]!.wait], [false, 60_000])
  assert.equal(dry.forget('client'), false)
})
