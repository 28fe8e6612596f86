import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parseDuration, parseSize } from './units.ts'

const durations = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizes = { b: 1, kb: 1024, mb: 1_048_576, gb: 1_073_741_824 } as const

test('property: a duration is its number times its unit', () => {
  const units = fc.constantFrom(...(['ms', 's', 'm', 'h', 'd'] as const))
  fc.assert(
    fc.property(fc.nat(3650), units, (number, unit) => {
      assert.equal(parseDuration(`${number}${unit}`), number * durations[unit])
    }),
  )
})

test('property: a size is its number times its unit, with 1024 bytes in a kb', () => {
  const units = fc.constantFrom(...(['b', 'kb', 'mb', 'gb'] as const))
  fc.assert(
    fc.property(fc.nat(4096), units, (number, unit) => {
      assert.equal(parseSize(`${number}${unit}`), number * sizes[unit])
    }),
  )
})

test('property: an accepted duration is a whole number of milliseconds of at most ten years', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^\d{1,12} ?[a-zA-Z]{0,2}$/), (text) => {
      const milliseconds = parseDuration(text)
      if (milliseconds === undefined) return
      assert.match(text, /^\d+(ms|s|m|h|d)$/)
      assert.ok(Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds <= 3650 * 86_400_000)
    }),
  )
})

test('texts without number and unit in the exact form are rejected', () => {
  for (const text of ['', '10', 's', '1.5s', '-1s', '+1s', '1 s', ' 1s', '1s ', '1S', '1m30s', '1e3s', '١s'])
    assert.equal(parseDuration(text), undefined, text)
  for (const text of ['', '10', 'kb', '1.5kb', '-1kb', '1 kb', '1KB', '1kib', '1k', '99999999999gb'])
    assert.equal(parseSize(text), undefined, text)
})

test('the longest duration is ten years', () => {
  assert.equal(parseDuration('3650d'), 315_360_000_000)
  assert.equal(parseDuration('3651d'), undefined)
  assert.equal(parseDuration('315360000001ms'), undefined)
})
