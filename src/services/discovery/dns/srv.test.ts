import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { firstOf, sharesOf, type SrvRecord } from './srv.ts'

const record = (priority: number, name: string, weight = 1): SrvRecord => ({ name, port: 80, priority, weight })

test('only the lowest priority is used, and "." means that the service is not available', () => {
  assert.deepEqual(
    firstOf([record(20, 'c'), record(10, 'a'), record(10, 'b')]).map(({ name }) => name),
    ['a', 'b'],
  )
  assert.deepEqual(firstOf([record(0, '.')]), [])
  assert.deepEqual(firstOf([record(0, '')]), [])
  assert.deepEqual(firstOf([]), [])
})

test('weights are shared by the addresses of a target', () => {
  const shares = (...parts: readonly (readonly [weight: number, addresses: number])[]): readonly number[] =>
    sharesOf(parts.map(([weight, addresses]) => ({ weight, addresses })))
  assert.deepEqual(shares([3, 1], [1, 1]), [3, 1])
  assert.deepEqual(shares([10, 1], [10, 2]), [2, 1])
  assert.deepEqual(shares([0, 1], [0, 1]), [1, 1])
  assert.deepEqual(shares([0, 1], [1, 1]), [1, 100])
  assert.deepEqual(shares([65_535, 1], [65_535, 1]), [1, 1])
  assert.deepEqual(shares(), [])
})

test('property: shares are positive integers within a thousandth of the weights', () => {
  const part = fc.record({ weight: fc.integer({ min: 1, max: 65_535 }), addresses: fc.integer({ min: 1, max: 20 }) })
  fc.assert(
    fc.property(fc.array(part, { minLength: 2, maxLength: 20 }), (parts) => {
      const shares = sharesOf(parts)
      const [first, second] = parts
      const [one = 0, two = 0] = shares
      assert.ok(shares.every((share) => Number.isSafeInteger(share) && share > 0))
      const wanted = (first!.weight * second!.addresses) / (second!.weight * first!.addresses)
      assert.ok(Math.abs(one / two / wanted - 1) < 0.001, `${one / two} ${wanted}`)
    }),
  )
})
