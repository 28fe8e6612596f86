import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putAll } from './value.ts'

test('putAll returns a copy with the new values, and leaves the original alone', () => {
  const shared = { file: 'a', other: 1 }
  const whole = { list: [shared, shared, [1, 2]], beside: { b: 1 } }
  const copy = putAll(whole, [
    [['list', 0, 'file'], 'A'],
    [['list', 2, 1], 'two'],
    [['list', 0, '__proto__'], 'text'],
  ])
  const first: unknown = JSON.parse('{ "file": "A", "other": 1, "__proto__": "text" }')
  assert.deepEqual(copy, { list: [first, shared, [1, 'two']], beside: { b: 1 } })
  assert.deepEqual(whole, { list: [{ file: 'a', other: 1 }, shared, [1, 2]], beside: { b: 1 } })
  assert.equal(putAll(whole, []), whole)
  assert.equal(putAll(whole, [[[], 1]]), 1)
})

test('a list is copied once, however many items are replaced', () => {
  let read = 0
  const items = Array.from({ length: 1000 }, (_, i) => ({ file: String(i) }))
  const list = new Proxy(items, {
    get: (target, key): unknown => {
      if (key === Symbol.iterator) read++
      return Reflect.get(target, key)
    },
  })
  const copy = putAll(
    { list },
    items.map((_, i) => [['list', i, 'file'], i] as const),
  )
  assert.deepEqual(copy, { list: items.map((_, i) => ({ file: i })) })
  assert.equal(read, 1)
})
