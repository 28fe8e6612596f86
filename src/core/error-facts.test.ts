import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { codeOf, messageOf } from './error-facts.ts'

test('messageOf is the message of an error, or the thrown value as text', () => {
  assert.equal(messageOf(new TypeError('no')), 'no')
  assert.deepEqual(['text', null, 7].map(messageOf), ['text', 'null', '7'])
})

test('codeOf is the code of an error, or empty', () => {
  assert.throws(
    () => readFileSync('/there/is/no/such/file'),
    (error) => codeOf(error) === 'ENOENT',
  )
  assert.deepEqual([new Error('no'), { code: 'ENOENT' }, undefined].map(codeOf), ['', '', ''])
})
