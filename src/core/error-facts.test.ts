import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { codeOf, messageOf } from './error-facts.ts'

test('an error says its message, and whatever else was thrown itself', () => {
  assert.equal(messageOf(new TypeError('no')), 'no')
  assert.deepEqual(['text', null, 7].map(messageOf), ['text', 'null', '7'])
})

test('only errors have a code, and not all of them', () => {
  assert.throws(
    () => readFileSync('/there/is/no/such/file'),
    (error) => codeOf(error) === 'ENOENT',
  )
  assert.deepEqual([new Error('no'), { code: 'ENOENT' }, undefined].map(codeOf), ['', '', ''])
})
