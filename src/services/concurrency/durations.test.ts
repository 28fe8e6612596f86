import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { DURATION_CELLS, Durations } from './durations.ts'

function make(): Durations {
  return new Durations(new Int32Array(new SharedArrayBuffer(DURATION_CELLS * 4)))
}

test('property: the median is accurate to a tenth', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.1, max: 200_000, noNaN: true }), { minLength: 1, maxLength: 99 }),
      (all) => {
        const durations = make()
        for (const each of all) durations.add(each)
        assert.equal(durations.count, all.length)
        const sorted = all.toSorted((a, b) => a - b)
        const low = sorted[Math.floor((all.length - 1) / 2)]!
        const high = sorted[Math.floor(all.length / 2)]!
        const median = durations.takeMedian()
        assert.ok(median >= low * 0.9 && median <= high * 1.1, `${median} of ${sorted.join(' ')}`)
      },
    ),
  )
})

test('takeMedian resets the durations', () => {
  const durations = make()
  durations.add(5)
  durations.takeMedian()
  assert.deepEqual([durations.count, durations.takeMedian()], [0, 0])
})

test('durations outside of the range are counted at its ends', () => {
  const durations = make()
  durations.add(0)
  assert.equal(durations.takeMedian(), 0.0625)
  durations.add(Infinity)
  assert.ok(durations.takeMedian() >= 2 ** 18)
  durations.add(Number.NaN)
  assert.equal(durations.takeMedian(), 0.0625)
})
