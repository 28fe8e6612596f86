import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { parseTransferEncoding } from './framing.ts'

test('chunked is case-insensitive', () => {
  for (const value of ['chunked', 'Chunked', 'CHUNKED'])
    assert.equal(
      codeOf(() => parseTransferEncoding(value)),
      undefined,
    )
})

test('other codings before chunked are not implemented', () => {
  for (const value of ['gzip, chunked', 'x-gzip,chunked', 'deflate , compress, CHUNKED'])
    assert.equal(
      codeOf(() => parseTransferEncoding(value)),
      'not-implemented',
    )
})

test('anything else is rejected', () => {
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
