import assert from 'node:assert/strict'
import test from 'node:test'
import { newTraceId } from '../http/trace-ids.ts'
import { createMemoryLogger } from './memory-logger.ts'
import { createSampler, isAmong } from './sampler.ts'

function sampler(name?: string, argument?: string) {
  const output = createMemoryLogger()
  const sample = createSampler({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }, output.log)
  return { sample, output }
}

/** What is decided where the trace begins, where the caller has sampled it, and where it has not. */
function decisions(name?: string, argument?: string): boolean[] {
  const { sample, output } = sampler(name, argument)
  assert.deepEqual(output.lines, [])
  return [null, true, false].map((parent) => sample(newTraceId(), parent))
}

for (const [name, expected] of Object.entries({
  always_on: [true, true, true],
  always_off: [false, false, false],
  parentbased_always_on: [true, true, false],
  parentbased_always_off: [false, true, false],
}))
  test(`${name} decides for new, sampled and unsampled traces: ${expected.join(', ')}`, () => {
    assert.deepEqual(decisions(name), expected)
  })

test('by default every trace is sampled unless the caller has decided otherwise', () => {
  assert.deepEqual(decisions(), [true, true, false])
  assert.deepEqual(decisions('traceidratio'), [true, true, true])
})

test('a ratio depends on the trace id alone, unless it is parent-based and the caller has decided', () => {
  assert.deepEqual(decisions('traceidratio', '0'), [false, false, false])
  assert.deepEqual(decisions('parentbased_traceidratio', '0'), [false, true, false])
  const { sample } = sampler('traceidratio', '0.25')
  const ids = Array.from({ length: 4096 }, (_, i) => '0'.repeat(18) + i.toString(16).padStart(3, '0') + '0'.repeat(11))
  assert.equal(ids.filter((id) => sample(id, null)).length, 1024)
})

test('the traces of a lower ratio are a subset of those of a higher one', () => {
  for (let i = 0; i < 1000; i++) {
    const id = newTraceId()
    assert.ok(!isAmong(id, 0.1) || isAmong(id, 0.5))
  }
})

test('an invalid sampler or ratio is logged, and all traces are sampled', () => {
  for (const [name, argument] of [
    ['jaeger_remote'],
    ['traceidratio', '2'],
    ['traceidratio', 'x'],
    ['traceidratio', '-1'],
  ]) {
    const { sample, output } = sampler(name, argument)
    assert.equal(sample(newTraceId(), null), true)
    assert.equal(output.lines[0]?.['level'], 'warn')
  }
})
