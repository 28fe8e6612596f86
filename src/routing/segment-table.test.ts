import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { SegmentTable } from './segment-table.ts'

const segment = fc.string({ unit: fc.constantFrom('a', 'b', '%', '-', '1'), maxLength: 4 })

test('property: lookup of a substring agrees with a map', () => {
  fc.assert(
    fc.property(fc.array(segment), segment, segment, segment, (keys, before, asked, after) => {
      const table = new SegmentTable<number>()
      const map = new Map<string, number>()
      for (const [i, key] of keys.entries()) {
        if (!map.has(key)) map.set(key, i)
        assert.equal(
          table.ensure(key, () => i),
          map.get(key),
        )
      }
      assert.equal(table.size, map.size)
      for (const each of [asked, ...keys])
        assert.equal(table.get(before + each + after, before.length, before.length + each.length), map.get(each))
    }),
    { numRuns: 1000 },
  )
})

test('thousands of keys are found, and no others', () => {
  const table = new SegmentTable<number>()
  for (let i = 0; i < 20_000; i++) table.ensure(`service-${i}`, () => i)
  for (let i = 0; i < 20_000; i++) assert.equal(table.get(`/service-${i}/`, 1, `service-${i}`.length + 1), i)
  assert.equal(table.get('service-20000', 0, 13), undefined)
})
