import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { createMemoryLogger } from '../../../telemetry/memory-logger.ts'
import { MemoryMeter } from './memory-meter.ts'
import { SharedTable } from './table.ts'
import { watchEvictions } from './watch-evictions.ts'

const MINUTE = 60_000
const ENTRIES = 16

function setUp() {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('debug', clock)
  const table = SharedTable.create(ENTRIES, () => 0.5)
  // As a worker has it: another view of the same memory.
  const meter = new MemoryMeter(new SharedTable(table.buffer), clock, {
    name: 'tier',
    algorithm: 'fixed-window',
    quotas: [{ limit: 10, window: 60 * MINUTE }],
  })
  let clients = 0
  return {
    clock,
    lines,
    table,
    stop: watchEvictions(table, clock, log),
    come: (count: number) => {
      for (let i = 0; i < count; i++) meter.decide(`client-${clients++}`, 1)
    },
  }
}

test('a table that is large enough logs nothing', () => {
  const { clock, lines, come } = setUp()
  come(ENTRIES)
  clock.advance(10 * MINUTE)
  assert.deepEqual(lines, [])
})

test('a full table logs one warning a minute, with the number of evictions', () => {
  const { clock, lines, table, come } = setUp()
  come(ENTRIES + 3)
  assert.deepEqual(lines, [])
  clock.advance(MINUTE)
  come(2)
  come(5)
  clock.advance(5 * MINUTE)
  assert.deepEqual(
    lines.map(({ level, evictions, entries }) => ({ level, evictions, entries })),
    [
      { level: 'warn', evictions: 3, entries: ENTRIES },
      { level: 'warn', evictions: 7, entries: ENTRIES },
    ],
  )
  assert.match(String(lines[0]?.['message']), /raise stores\.memory\.entries$/)
  assert.equal(table.evictions, 10)
})

test('nothing is logged after stop', () => {
  const { clock, lines, come, stop } = setUp()
  come(ENTRIES + 3)
  stop()
  clock.advance(MINUTE)
  assert.deepEqual(lines, [])
  assert.equal(clock.pending, 0)
})
