import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { formatTimeout, parseTimeout } from './timeout.ts'

test('every unit is parsed', () => {
  const units = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 }
  for (const [unit, milliseconds] of Object.entries(units)) {
    assert.equal(parseTimeout(`1${unit}`), milliseconds)
    assert.equal(parseTimeout(`99999999${unit}`), 99_999_999 * milliseconds)
    assert.equal(parseTimeout(`00000000${unit}`), 0)
  }
})

test('an invalid timeout is null', () => {
  for (const text of [
    '',
    '1',
    'S',
    '1s',
    '1h',
    '123456789m',
    '-1S',
    '+1S',
    '1.5S',
    ' 1S',
    '1S ',
    '1S, 1S',
    '1 S',
    '１S',
    '1ms',
  ])
    assert.equal(parseTimeout(text), null, JSON.stringify(text))
})

test('property: a timeout is digits with a unit, or null', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9HMSmunh. ]{0,11}$/))
  fc.assert(
    fc.property(text, (value) => {
      const digits = value.slice(0, -1)
      const sound = /^[0-9]+$/.test(digits) && digits.length <= 8 && 'HMSmun'.includes(value.at(-1) ?? ' ')
      assert.equal(parseTimeout(value) !== null, sound)
    }),
  )
})

test('property: a formatted timeout is well-formed, and at most slightly less than the time left', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 3.5e14, noNaN: true }), (left) => {
      const text = formatTimeout(left)
      const read = parseTimeout(text)
      assert.ok(read !== null && read <= left, text)
      // To 1 in 1,000 or a microsecond, except for years: they are rounded to hours.
      assert.ok(left - read <= Math.max(0.001, left / 1_000), text)
    }),
  )
})

test('an elapsed deadline is the shortest possible timeout', () => {
  assert.equal(formatTimeout(0), '1u')
  assert.equal(formatTimeout(-5_000), '1u')
})
