import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { percentile, spread } from './statistics.ts'

test('the median of an odd number of rounds is the one in the middle', () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 })
})

test('the median of an even number of rounds lies between the two in the middle', () => {
  assert.deepEqual(spread([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 })
})

test('there is no spread without rounds', () => {
  assert.equal(spread([]), undefined)
})

test('the 99th percentile is the value that 99 of 100 do not exceed', () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1)
  assert.equal(percentile(sorted, 99), 99)
  assert.equal(percentile([7], 99), 7)
})

test('property: a median lies between the minimum and the maximum', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const found = spread(values)
      assert.ok(found !== undefined && found.min <= found.median && found.median <= found.max)
    }),
  )
})
