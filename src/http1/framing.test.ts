import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { parseContentLength, parseTransferEncoding } from './framing.ts'

test('a length is decimal digits, as many as a number holds exactly', () => {
  assert.equal(parseContentLength('0'), 0)
  assert.equal(parseContentLength('42'), 42)
  assert.equal(parseContentLength('0042'), 42)
  assert.equal(parseContentLength('999999999999999'), 999_999_999_999_999)
})

test('any other form of a length is refused', () => {
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

test('chunked is understood in any case', () => {
  for (const value of ['chunked', 'Chunked', 'CHUNKED'])
    assert.equal(
      codeOf(() => parseTransferEncoding(value)),
      undefined,
    )
})

test('other codings before chunked exist but are not spoken here', () => {
  for (const value of ['gzip, chunked', 'x-gzip,chunked', 'deflate , compress, CHUNKED'])
    assert.equal(
      codeOf(() => parseTransferEncoding(value)),
      'not-implemented',
    )
})

test('anything else is refused', () => {
  for (const value of [
    '',
    'identity',
    'chunked, chunked',
    'chunked, identity',
    'identity, chunked',
    'gzip',
    'chunked, gzip',
    'xchunked',
    'chunkedx',
    ' chunked',
    'chunked;q=1',
    '"chunked"',
    ', chunked',
    'chunked,',
    '\x0bchunked',
    'chunke\u212a',
  ])
    assert.equal(
      codeOf(() => parseTransferEncoding(value)),
      'bad-request',
      JSON.stringify(value),
    )
})
