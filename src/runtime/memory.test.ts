import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { createLineLogger } from '../telemetry/logger.ts'
import { heapLimit, memoryLimit, watchMemory } from './memory.ts'

const MEGABYTE = 1024 * 1024

test('the limit is the configured one, or that of the container, or none', () => {
  assert.equal(memoryLimit(5, 10, 100), 5)
  assert.equal(memoryLimit(undefined, 10, 100), 10)
  // No cgroup; a cgroup without a limit, as versions 2 and 1 have it.
  for (const constrained of [0, 2 ** 64, 9_223_372_036_854_771_712])
    assert.equal(memoryLimit(undefined, constrained, 100), null)
})

test('the heaps of all workers stay below the limit together, and none is too small', () => {
  assert.equal(heapLimit(512 * MEGABYTE, 2), 144)
  assert.equal(heapLimit(512 * MEGABYTE, 1), 288)
  assert.equal(heapLimit(2048 * MEGABYTE, 4), 360)
  assert.equal(heapLimit(256 * MEGABYTE, 2), 96)
  assert.equal(heapLimit(64 * 1024 * MEGABYTE, 2), 4096)
})

test('low memory is logged once at its start and once at its end', () => {
  const clock = new ManualClock()
  const lines: string[] = []
  let resident = 0
  const log = createLineLogger('info', clock, (line) => {
    const { level, resident_bytes, limit_bytes } = JSON.parse(line) as Record<string, unknown>
    lines.push(`${String(level)} ${String(resident_bytes)} of ${String(limit_bytes)}`)
  })
  const stop = watchMemory(100, clock, log, () => resident)
  for (const bytes of [90, 91, 99, 85, 80, 79, 89, 95]) {
    resident = bytes
    clock.advance(5_000)
  }
  assert.deepEqual(lines, ['warn 91 of 100', 'info 79 of 100', 'warn 95 of 100'])
  stop()
  assert.equal(clock.pending, 0)
})
