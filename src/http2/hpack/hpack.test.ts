import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { requestFieldNames } from '../../http/field-names.ts'
import { ConnectionError } from '../errors.ts'
import { FieldDecoder } from './decoder.ts'
import { encodeFields, encodeReply } from './encoder.ts'
import type { Field } from './field.ts'
import { decodeHuffman, encodeHuffman } from './huffman.ts'
import { symbolCodes } from './huffman-code.ts'

const naming = { names: requestFieldNames, strict: false }

function decode(decoder: FieldDecoder, hex: string): string[] {
  const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
  const lines: string[] = []
  decoder.decode(bytes, 0, bytes.length, {
    field: ({ name, value }: Field) => void lines.push(`${name.text}: ${value}`),
  })
  return lines
}

test('the Huffman code is complete', () => {
  const codes = symbolCodes()
  assert.equal(codes.length, 257)
  assert.equal(
    codes.reduce((sum, { length }) => sum + 2 ** -length, 0),
    1,
  )
  const spelled = (symbol: number) => codes.find((each) => each.symbol === symbol)?.code
  assert.deepEqual([0, 48, 127, 195, 256].map(spelled), [0x1ff8, 0, 0xffffffc, 0x7fff1, 0x3fffffff])
})

// RFC 7541 appendix C.3
test('requests without Huffman coding are decoded', () => {
  const decoder = new FieldDecoder(naming)
  const authority = ':authority: www.example.com'
  assert.deepEqual(decode(decoder, '828684410f7777772e6578616d706c652e636f6d'), [
    ':method: GET',
    ':scheme: http',
    ':path: /',
    authority,
  ])
  assert.deepEqual(decode(decoder, '828684be58086e6f2d6361636865'), [
    ':method: GET',
    ':scheme: http',
    ':path: /',
    authority,
    'cache-control: no-cache',
  ])
  assert.deepEqual(decode(decoder, '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565'), [
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    authority,
    'custom-key: custom-value',
  ])
})

// RFC 7541 appendix C.4
test('requests with Huffman coding are decoded', () => {
  const decoder = new FieldDecoder(naming)
  const authority = ':authority: www.example.com'
  assert.deepEqual(decode(decoder, '828684418cf1e3c2e5f23a6ba0ab90f4ff'), [
    ':method: GET',
    ':scheme: http',
    ':path: /',
    authority,
  ])
  assert.deepEqual(decode(decoder, '828684be5886a8eb10649cbf').slice(3), [authority, 'cache-control: no-cache'])
  assert.deepEqual(decode(decoder, '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf').slice(3), [
    authority,
    'custom-key: custom-value',
  ])
})

// RFC 7541 appendix C.2
test('each kind of literal is decoded', () => {
  const decoder = new FieldDecoder(naming)
  assert.deepEqual(decode(decoder, '400a637573746f6d2d6b65790d637573746f6d2d686561646572'), [
    'custom-key: custom-header',
  ])
  assert.deepEqual(decode(decoder, '040c2f73616d706c652f70617468'), [':path: /sample/path'])
  assert.deepEqual(decode(decoder, '100870617373776f726406736563726574'), ['password: secret'])
  assert.deepEqual(decode(decoder, 'be'), ['custom-key: custom-header'])
})

// RFC 7541 section 4.4
test('entries are evicted, all of them for one that is too large', () => {
  const decoder = new FieldDecoder(naming)
  const long = 'aa'.repeat(127)
  const add = `4001617f00${long}`
  assert.throws(() => decode(decoder, 'be'), ConnectionError)
  for (let i = 0; i < 30; i++) decode(decoder, add)
  const known = Array.from({ length: 40 }, (_, back) => {
    try {
      return decode(decoder, Buffer.from([0x80 | (62 + back)]).toString('hex')).length
    } catch {
      return 0
    }
  })
  // Each has 1 + 127 + 32 bytes of 4096.
  assert.equal(known.lastIndexOf(1) + 1, 25)
  decode(decoder, `20 ${add}`)
  assert.throws(() => decode(decoder, 'be'), /no entry 62/)
})

test('invalid encodings end the connection', () => {
  const cases: Record<string, RegExp> = {
    '80': /no entry 0/,
    be: /no entry 62/,
    ffffffffff7f: /too large/,
    ff: /in the middle/,
    '41': /in the middle/,
    '4105616263': /in the middle/,
    // The end of the string, whole or as eight bits of padding, and padding with zeros.
    '4084ffffffff': /Huffman/,
    '408207ff': /Huffman/,
    '408100': /Huffman/,
    // 4097, and a change after the first field.
    '3fe21f': /4097 bytes; at most 4096/,
    '8220': /within a field section/,
  }
  for (const [hex, message] of Object.entries(cases))
    assert.throws(
      () => decode(new FieldDecoder(naming), hex),
      (error) => {
        assert.ok(error instanceof ConnectionError, hex)
        assert.match(error.message, message, hex)
        assert.equal(error.code, 9)
        return true
      },
    )
})

test('the table can be made smaller and larger again within its limit', () => {
  const decoder = new FieldDecoder(naming)
  assert.deepEqual(decode(decoder, '20 3fe11f 82'), [':method: GET'])
})

const value = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) })

test('property: Huffman coding decodes to the original', () => {
  fc.assert(
    fc.property(value, (text) => {
      const coded = Buffer.from(encodeHuffman(text), 'latin1')
      const into = Buffer.alloc(text.length + 16)
      const end = decodeHuffman(coded, 0, coded.length, into, 0)
      assert.equal(into.toString('latin1', 0, end), text)
    }),
    { numRuns: 2000 },
  )
})

test('property: replies decode to their original headers', () => {
  const name = fc.constantFrom('Content-Type', 'X-Request-Id', 'ETag', 'set-cookie', 'X-A', 'Date', 'Vary')
  const visible = fc.string({
    unit: fc
      .integer({ min: 33, max: 255 })
      .filter((c) => c !== 127)
      .map((c) => String.fromCharCode(c)),
  })
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), fc.array(fc.tuple(name, visible)), (status, fields) => {
      const section = encodeReply(status, fields.map(([each, text]) => `${each}: ${text}\r\n`).join(''))
      const expected = [`:status: ${status}`, ...fields.map(([each, text]) => `${each.toLowerCase()}: ${text}`)]
      assert.deepEqual(decode(new FieldDecoder(naming), Buffer.from(section, 'latin1').toString('hex')), expected)
    }),
    { numRuns: 500 },
  )
})

test('headers with ever-changing values are not cached, and still correct', () => {
  for (let i = 0; i < 5000; i++) {
    const section = encodeFields(`X-Request-Id: ${i}\r\nServer: a\r\n`)
    const lines = decode(new FieldDecoder(naming), Buffer.from(section, 'latin1').toString('hex'))
    assert.deepEqual(lines, [`x-request-id: ${i}`, 'server: a'])
  }
})

test('a never-indexed header is encoded as such from then on, and decoded from others', () => {
  const decoder = new FieldDecoder(naming)
  const written = (): string => Buffer.from(encodeFields('X-Token: abc\r\n'), 'latin1').toString('hex')
  assert.match(written(), /^00/)
  // RFC 7541 section 6.2.3, with a new name.
  assert.deepEqual(decode(decoder, '1007782d746f6b656e03616263'), ['x-token: abc'])
  assert.match(written(), /^10/)
  assert.deepEqual(decode(new FieldDecoder(naming), written()), ['x-token: abc'])
  assert.match(Buffer.from(encodeFields('Authorization: abc\r\n'), 'latin1').toString('hex'), /^1f08/)
})
