import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { BoundedMap } from './bounded-map.ts'

test('property: there are at most two generations, and a value is the one set last', () => {
  const key = fc.integer({ min: 0, max: 30 }).map(String)
  const step = fc.oneof(
    fc.record({ set: key, value: fc.integer() }),
    fc.record({ get: key }),
    fc.record({ delete: key }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 200 }), (size, steps) => {
      const map = new BoundedMap<string, number>(size)
      const all = new Map<string, number>()
      for (const each of steps) {
        if ('set' in each) {
          map.set(each.set, each.value)
          all.set(each.set, each.value)
          assert.equal(map.get(each.set), each.value)
        } else if ('get' in each) {
          const value = map.get(each.get)
          if (value !== undefined) assert.equal(value, all.get(each.get))
        } else {
          map.delete(each.delete)
          all.delete(each.delete)
          assert.equal(map.get(each.delete), undefined)
        }
        assert.ok(map.size <= 2 * size)
      }
    }),
  )
})

test('entries in use survive while others come and go', () => {
  const map = new BoundedMap<string, number>(10)
  map.set('used', 1)
  for (let i = 0; i < 1000; i++) {
    map.set(`other-${i}`, i)
    if (i % 5 === 0) assert.equal(map.get('used'), 1)
  }
  assert.equal(map.get('other-0'), undefined)
})

test('a cleared map is empty', () => {
  const map = new BoundedMap<string, number>(2)
  for (let i = 0; i < 3; i++) map.set(String(i), i)
  map.clear()
  assert.equal(map.size, 0)
  assert.equal(map.get('0'), undefined)
})

test('iteration lists each entry once', () => {
  const map = new BoundedMap<string, number>(2)
  for (const [i, key] of ['a', 'b', 'c', 'a'].entries()) map.set(key, i)
  assert.deepEqual(
    new Map(map),
    new Map([
      ['b', 1],
      ['c', 2],
      ['a', 3],
    ]),
  )
})
