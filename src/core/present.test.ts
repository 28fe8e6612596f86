import assert from 'node:assert/strict'
import { test } from 'node:test'
import { present, valueOfEach } from './present.ts'

test('a value that is present is returned, even a falsy one', () => {
  for (const value of [0, '', false, Number.NaN]) assert.equal(present(value, 'value'), value)
})

test('a missing value is an error with its name', () => {
  for (const missing of [null, undefined])
    assert.throws(() => present(missing, 'slot of a:1'), { message: 'there is no slot of a:1' })
})

test('the value of each key is created once, in advance', () => {
  const made: string[] = []
  const value = valueOfEach(['a', 'b'], (key) => {
    made.push(key)
    return `${key}!`
  })
  assert.deepEqual([value('b'), value('a'), value('b'), made], ['b!', 'a!', 'b!', ['a', 'b']])
})

test('an unknown key is an error with its name', () => {
  const value = valueOfEach<string, number>(['a'], () => 1)
  assert.throws(() => value('c'), { message: 'there is no c' })
})
