import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { MalformedJson, parseStrictly } from './json-document.ts'

const read = (text: string, encoding: 'utf8' | 'latin1' = 'utf8') => parseStrictly(Buffer.from(text, encoding))

test('property: documents are read as by JSON.parse', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1), (value, space) => {
      const text = JSON.stringify(value, null, space)
      assert.deepEqual(read(text), JSON.parse(text))
    }),
  )
})

for (const [text, reason] of [
  ['', 'is not JSON'],
  ['{"a":1,}', 'is not JSON from character 8 on'],
  ['\ufeff{}', 'is not JSON'],
  ['{"a":1,"a":2}', 'contains the same key twice in one object'],
  ['{"a":1,"\\u0061":2}', 'contains the same key twice in one object'],
  ['[{"x":{"a":":","b":1,"a":"\\":"}}]', 'contains the same key twice in one object'],
] as const)
  test(`${JSON.stringify(text)} is rejected, as it ${reason}`, () => {
    assert.throws(
      () => read(text),
      (error) => error instanceof MalformedJson && error.message === reason,
    )
  })

test('anything but UTF-8 is rejected', () => {
  assert.throws(() => read('"\xff"', 'latin1'), /^MalformedJson: is not UTF-8$/)
})

test('colons in strings do not count as members, and __proto__ does', () => {
  assert.deepEqual(Object.keys(read('{"a:b":"\\":\\\\","__proto__":{"c":1}}') as object), ['a:b', '__proto__'])
})

test('deep nesting is supported', () => {
  read(`${'[{"a":'.repeat(100_000)}1${'}]'.repeat(100_000)}`)
})
