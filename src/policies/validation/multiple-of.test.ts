import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { compileMultipleOf } from './multiple-of.ts'

for (const [divisor, multiples, others] of [
  [
    0.01,
    [19.99, 4.35, 0.07, 0, -0, 1.1, 0.29, -4.35, 1e22, 1e308, 123456789012.34, 90071992547409.91],
    [0.005, 19.999, 4.351, 1e-7, 5e-324],
  ],
  [0.1, [0.3, 0.7, 1e300, 100.1], [0.25, 0.30000000000000004]],
  [0.0001, [0.0075, 1.1001, 19.9999], [0.00011]],
  [1e-8, [12391239123, 0.00000001, 1e-8, 1e30], [1e-9, 1.5e-8]],
  [0.5, [1e308, 2.5, 4503599627370495.5], [0.25]],
  [2.5, [1e308, 7.5, 5], [1, 7.6]],
  [3, [9, 3e300, 9007199254740990], [1e300, 10, 0.3]],
  [1, [1e308, 2 ** 53], [1.5, 5e-324]],
  [1e22, [1e22, 3e22, 1e300], [1e21, 1]],
  [1e300, [1e300, 1e308], [1e299, 1]],
  [5e-324, [5e-324, 1e-323, 1, 1e308], []],
  [0.3, [0.9, 3e20], [1e20, 0.1]],
  [1.5e-7, [3e-7, 1.5], [1e-7]],
] as const)
  test(`multiples of ${divisor} are decimal`, () => {
    const isMultiple = compileMultipleOf(divisor)
    for (const value of multiples) assert.equal(isMultiple(value), true, String(value))
    for (const value of others) assert.equal(isMultiple(value), false, String(value))
  })

test('NaN and infinities are not multiples', () => {
  for (const value of [Number.NaN, Infinity, -Infinity]) assert.equal(compileMultipleOf(0.01)(value), false)
})

/** The definition: both as fractions of whole numbers. */
function isMultipleByDefinition(value: number, divisor: number): boolean {
  const fraction = (number: number): [bigint, bigint] => {
    const [, sign, whole = '', rest = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(String(number))!
    const exponent = Number(power) - rest.length
    const digits = BigInt(`${sign}${whole}${rest}`)
    return exponent >= 0 ? [digits * 10n ** BigInt(exponent), 1n] : [digits, 10n ** BigInt(-exponent)]
  }
  const [a, b] = fraction(value)
  const [c, d] = fraction(divisor)
  return (a * d) % (b * c) === 0n
}

const price = fc
  .tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.integer({ min: 0, max: 8 }))
  .map(([n, places]) => Number(`${n}e-${places}`))
const number = fc.oneof(price, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger())

test('property: the result is exact for every number and divisor', () => {
  fc.assert(
    fc.property(
      number,
      number.map(Math.abs).filter((each) => each > 0),
      (value, divisor) => {
        assert.equal(compileMultipleOf(divisor)(value), isMultipleByDefinition(value, divisor))
      },
    ),
    { numRuns: 3000 },
  )
})

test('property: products of integers and short decimals are multiples', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(10 ** 8), max: 10 ** 8 }),
      fc.integer({ min: 1, max: 999 }),
      fc.integer({ min: 0, max: 6 }),
      (times, digits, places) => {
        assert.equal(compileMultipleOf(Number(`${digits}e-${places}`))(Number(`${times * digits}e-${places}`)), true)
      },
    ),
    { numRuns: 3000 },
  )
})
