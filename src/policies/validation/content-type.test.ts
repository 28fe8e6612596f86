import assert from 'node:assert/strict'
import test from 'node:test'
import { parseContentType } from './content-type.ts'

for (const [text, essence, isJson, isUtf8] of [
  ['application/json', 'application/json', true, true],
  ['Application/Merge-Patch+JSON ; charset="UTF-8"', 'application/merge-patch+json', true, true],
  ['application/json;charset=utf-16', 'application/json', true, false],
  ['application/json;a=";charset=utf-8";charset=utf-16', 'application/json', true, false],
  ['application/json;charset=utf-8; charset=latin1', 'application/json', true, false],
  ['text/plain;', 'text/plain', false, true],
  ['text/plain;;a=b', 'text/plain', false, true],
] as const)
  test(`${text} is parsed`, () => {
    assert.deepEqual(parseContentType(text), { essence, isJson, isUtf8 })
  })

for (const text of [
  '',
  'json',
  'text/',
  'text/a b',
  'application/json, text/plain',
  'application/json;a=b, text/plain',
  'text/plain;a',
  'text/plain;a="b',
])
  test(`${JSON.stringify(text)} is malformed`, () => {
    assert.equal(parseContentType(text), null)
  })
