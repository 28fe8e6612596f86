import assert from 'node:assert/strict'
import test from 'node:test'
import { limitContract } from '../../../../test/support/limit-contract.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { algorithms } from '../meter.ts'
import { MemoryMeter } from './memory-meter.ts'
import { SharedTable } from './table.ts'

const HOUR = 3_600_000

limitContract(
  'memory',
  () => {
    const clock = new ManualClock()
    const table = SharedTable.create(4096, () => 0.3)
    return {
      meter: (limit) => new MemoryMeter(table, clock, limit),
      advance: (ms) => clock.advance(ms),
      now: () => clock.now(),
    }
  },
  { runs: 500 },
)

for (const algorithm of algorithms)
  test(`${algorithm}: a step of the wall clock neither grants nor takes quota`, () => {
    const clock = new ManualClock()
    const quotas = [{ limit: 2, window: HOUR }]
    const meter = new MemoryMeter(SharedTable.create(64), clock, { name: 'tier', algorithm, quotas })
    meter.decide('42', 2)
    for (const step of [-48 * HOUR, 96 * HOUR, -48 * HOUR]) {
      clock.step(step)
      const { admitted, quotas: states } = meter.decide('42', 1)
      assert.equal(admitted, false)
      assert.ok(states[0]!.wait <= (HOUR * 9) / 8)
    }
    clock.advance((HOUR * 9) / 8)
    assert.equal(meter.decide('42', 2).admitted, true)
  })

test('two meters on one table share the counts of a limit', () => {
  const table = SharedTable.create(64)
  const limit = { name: 'tier', algorithm: 'fixed-window', quotas: [{ limit: 3, window: HOUR }] } as const
  const clock = new ManualClock()
  const [first, second] = [
    new MemoryMeter(table, clock, limit),
    new MemoryMeter(new SharedTable(table.buffer), clock, limit),
  ]
  const admitted = [first, second, first, second].map((meter) => meter.decide('42', 1).admitted)
  assert.deepEqual(admitted, [true, true, true, false])
})
