import assert from 'node:assert/strict'
import test from 'node:test'
import { DigestMap } from './digest-map.ts'

test('two keys with the same hash are distinguished', () => {
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

test('a cleared map is empty', () => {
  const map = new DigestMap<number>(2)
  for (let i = 0; i < 3; i++) map.set(String(i), i)
  assert.equal(map.size, 3)
  map.clear()
  assert.deepEqual([map.size, map.get('0')], [0, undefined])
})
