import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Percentile } from './percentile.ts'

test('property: the percentile is accurate to a tenth', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.1, max: 100_000, noNaN: true }), { minLength: 50, maxLength: 300 }),
      fc.integer({ min: 50, max: 99 }),
      (all, percent) => {
        const percentile = new Percentile(percent / 100)
        for (const each of all) percentile.add(each, 0)
        const sorted = all.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil((all.length * percent) / 100) - 1]!
        const found = percentile.at(0)
        assert.ok(found >= exact * 0.9 && found <= exact * 1.1, `${found} for ${exact}`)
      },
    ),
  )
})

test('the rank is correct even if the product is not exact', () => {
  const percentile = new Percentile(0.55)
  for (let i = 0; i < 55; i++) percentile.add(10, 0)
  for (let i = 0; i < 45; i++) percentile.add(1_000, 0)
  assert.ok(percentile.at(0) < 11)
})

test('with few values there is no percentile', () => {
  const percentile = new Percentile(0.95)
  for (let i = 0; i < 49; i++) percentile.add(10, 0)
  assert.equal(percentile.at(0), Infinity)
  percentile.add(10, 0)
  assert.ok(percentile.at(250) < 11)
})

test('the percentile adapts to slower and faster values within a minute', () => {
  const percentile = new Percentile(0.95)
  const values = (took: number, from: number, to: number): number => {
    for (let now = from; now < to; now += 100) percentile.add(took, now)
    return Math.round(percentile.at(to))
  }
  assert.equal(values(10, 0, 60_000), 10)
  assert.ok(values(100, 60_000, 65_000) > 90)
  const quicker = values(10, 65_000, 135_000)
  assert.equal(quicker, 10)
})

test('old values are dropped', () => {
  const percentile = new Percentile(0.95)
  for (let i = 0; i < 1_000; i++) percentile.add(10, 0)
  assert.ok(percentile.at(30_000) < 11)
  assert.equal(percentile.at(61_000), Infinity)
})
