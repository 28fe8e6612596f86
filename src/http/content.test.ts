import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { hasNoContent, parseContentLength } from './content.ts'

test('a length is a decimal number that is exact', () => {
  assert.equal(parseContentLength('0'), 0)
  assert.equal(parseContentLength('42'), 42)
  assert.equal(parseContentLength('0042'), 42)
  assert.equal(parseContentLength('999999999999999'), 999_999_999_999_999)
})

test('any other form of a length is rejected', () => {
  for (const value of [
    '',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x10',
    '1 2',
    '1,1',
    '1, 1',
    ' 1',
    '1\n',
    '1_000',
    '٣',
    '1000000000000000',
  ])
    assert.equal(
      codeOf(() => parseContentLength(value)),
      'bad-request',
      JSON.stringify(value),
    )
})

test('replies to HEAD, and 1xx, 204 and 304, have no content whatever their headers say', () => {
  assert.ok(hasNoContent('HEAD', 200))
  for (const status of [100, 103, 199, 204, 304]) assert.ok(hasNoContent('GET', status))
  for (const status of [200, 201, 205, 206, 301, 404, 500]) assert.ok(!hasNoContent('GET', status))
})
