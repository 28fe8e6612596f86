import assert from 'node:assert/strict'
import { test } from 'node:test'
import { present, valueOfEach } from './present.ts'

test('what is there is handed out, whatever it is', () => {
  for (const value of [0, '', false, Number.NaN]) assert.equal(present(value, 'value'), value)
})

test('what is not there is said by its name', () => {
  for (const missing of [null, undefined])
    assert.throws(() => present(missing, 'slot of a:1'), { message: 'there is no slot of a:1' })
})

test('the value of each key is made once, beforehand', () => {
  const made: string[] = []
  const value = valueOfEach(['a', 'b'], (key) => {
    made.push(key)
    return `${key}!`
  })
  assert.deepEqual([value('b'), value('a'), value('b'), made], ['b!', 'a!', 'b!', ['a', 'b']])
})

test('a key that nothing was made for is said by its name', () => {
  const value = valueOfEach<string, number>(['a'], () => 1)
  assert.throws(() => value('c'), { message: 'there is no c' })
})
