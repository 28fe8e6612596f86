import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { DigestMap } from './digest-map.ts'

test('whatever is done, there are never more than two generations, and a value is the one that was set last', () => {
  const key = fc.integer({ min: 0, max: 30 }).map(String)
  const step = fc.oneof(
    fc.record({ set: key, value: fc.integer() }),
    fc.record({ get: key }),
    fc.record({ delete: key }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 200 }), (size, steps) => {
      const map = new DigestMap<number>(size)
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

test('of two keys with one place, neither is taken for the other', () => {
  const map = new DigestMap<number>(10)
  map.set('Aa', 1)
  // The same number as that of "Aa", as 65 * 31 + 97 = 66 * 31 + 66.
  assert.equal(map.get('BB'), undefined)
  map.delete('BB')
  assert.equal(map.get('Aa'), 1)
  map.set('BB', 2)
  assert.equal(map.get('BB'), 2)
  assert.equal(map.get('Aa'), undefined)
})
