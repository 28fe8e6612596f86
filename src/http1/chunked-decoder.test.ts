import assert from 'node:assert/strict'
import test from 'node:test'
import { codeOf } from '../../test/support/codes.ts'
import { Decoded, decodeParts } from '../../test/support/decoding.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { defaultHeadLimits } from '../http/limits.ts'

const limits = { head: 200, target: 100, headers: 3 }

const decode = (...parts: string[]) => decodeParts(new ChunkedDecoder(limits), parts)
/** Every way of reading the text in two parts. */
const splits = (text: string) => Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)])

test('chunks are joined, for every split', () => {
  const text = '5\r\nhello\r\n1\r\n,\r\n00A\r\n 0123\r\n\r\n\x00\r\n000\r\n\r\n'
  for (const parts of splits(`${text}next`)) {
    const output = decode(...parts)
    assert.equal(output.text, 'hello, 0123\r\n\r\n\x00')
    assert.equal(output.used, text.length)
    assert.equal(output.completed, 1)
    assert.equal(output.trailers, null)
  }
})

test('byte by byte gives the same result', () => {
  const text = '3;a=b\r\nabc\r\nB;c="d;\\"e"\r\n01234567890\r\n0\r\nX-T: 1\r\n\r\n'
  const output = decode(...text.split(''))
  assert.equal(output.text, 'abc01234567890')
  assert.equal(output.trailers?.toWire(), 'X-T: 1\r\n')
})

test('sizes are hexadecimal in upper or lower case', () => {
  assert.equal(decode(`fF\r\n${'x'.repeat(255)}\r\n0\r\n\r\n`).text.length, 255)
})

test('an invalid size is rejected', () => {
  for (const line of ['', 'g', '-1', '+1', '0x1', ' 1', '1 ', '1\t', '1,', '1_0', '1.', '\r', '\n', '\xb2'])
    assert.equal(
      codeOf(() => decode(`${line}\r\na\r\n0\r\n\r\n`)),
      'bad-request',
      JSON.stringify(line),
    )
})

test('a size has at most 13 digits, so it is exact', () => {
  const output = decode('fffffffffffff\r\nabc')
  assert.equal(output.text, 'abc')
  assert.equal(output.completed, 0)
  assert.equal(decode('0000000000001\r\na\r\n0000000000000\r\n\r\n').text, 'a')
  for (const digits of ['10000000000000', '00000000000001', '00000000000000', 'f'.repeat(17)])
    assert.equal(
      codeOf(() => decode(digits)),
      'bad-request',
    )
})

test('lines have to end with CR LF', () => {
  for (const text of [
    '1\na\r\n0\r\n\r\n',
    '1\ra\r\n0\r\n\r\n',
    '1\r\r\na\r\n0\r\n\r\n',
    '1\r\na\n0\r\n\r\n',
    '1\r\na\r0\r\n\r\n',
    '1\r\na0\r\n\r\n',
    '1\r\nab\r\n0\r\n\r\n',
    '1\r\na\r\n\r\n0\r\n\r\n',
    '1;a\na\r\n0\r\n\r\n',
    '0\n\n',
    '0\r\n\n',
    '0\r\n\rx\n',
    '0\r\nX: 1\n\r\n',
  ])
    for (const parts of splits(text))
      assert.equal(
        codeOf(() => decode(...parts)),
        'bad-request',
        JSON.stringify(parts),
      )
})

test('valid extensions are dropped', () => {
  for (const extension of [';a', ';a=b', ';a;b', ';a=b;c="d"', ';a=""', ';a="x\\"y\\\\"', ';a="\t \xe9;="', ';!#=~'])
    assert.equal(decode(`1${extension}\r\na\r\n0${extension}\r\n\r\n`).text, 'a', extension)
})

test('malformed extensions are rejected', () => {
  for (const extension of [
    ';',
    ';;a',
    '; a',
    ';a ',
    ';a =b',
    ';a= b',
    ';a=',
    ';=b',
    ';a,b',
    ';a="',
    ';a="b',
    ';a="b"c',
    ';a="\\"',
    ';a=b=c',
    ';a\0',
    ';\xe9',
    ';a="\x7f"',
  ])
    assert.equal(
      codeOf(() => decode(`1${extension}\r\na\r\n0\r\n\r\n`)),
      'bad-request',
      JSON.stringify(extension),
    )
})

test('extensions are limited over the whole body', () => {
  const chunk = `1;${'e'.repeat(100)}\r\na\r\n`
  assert.equal(decode(chunk, chunk, '0\r\n\r\n').text, 'aa')
  assert.equal(
    codeOf(() => decode(chunk, chunk, '1;e')),
    'bad-request',
  )
})

test('trailers are passed on at the end, for every split, without forbidden ones', () => {
  const text = '1\r\na\r\n0\r\nX-Sum:1\r\nContent-Length: 5\r\nx-b: 2\r\n\r\n'
  for (const parts of splits(`${text}GET`)) {
    const output = decode(...parts)
    assert.equal(output.trailers?.toWire(), 'X-Sum: 1\r\nx-b: 2\r\n')
    assert.equal(output.used, text.length)
  }
})

test('a trailer section without permitted fields is null', () => {
  assert.equal(decode('0\r\nContent-Length: 5\r\n\r\n').trailers, null)
})

test('trailers are validated like a head', () => {
  for (const trailer of [' X: 1', 'X : 1', ': 1', 'X: \0', 'X: 1\r\n folded', 'X'])
    assert.equal(
      codeOf(() => decode(`0\r\n${trailer}\r\n\r\n`)),
      'bad-request',
    )
})

test('trailers have the limits of a head, complete or not', () => {
  const long = `X: ${'x'.repeat(193)}\r\n`
  assert.equal(decode(`0\r\n${long}\r\n`).completed, 1)
  for (const section of [`0\r\nX${long}\r\n`, `0\r\nX: ${'x'.repeat(300)}`])
    for (const parts of [[section], section.split('')])
      assert.equal(
        codeOf(() => decode(...parts)),
        'bad-request',
      )
  assert.equal(
    codeOf(() => decode('0\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n')),
    'headers-too-large',
  )
})

test('many tiny chunks in one read are merged', () => {
  const output = decodeParts(new ChunkedDecoder(defaultHeadLimits), [`${'1\r\nx\r\n'.repeat(5000)}0\r\n\r\n`])
  assert.equal(output.text, 'x'.repeat(5000))
  assert.equal(output.parts, 1)
})

test('large chunks are passed on without copying', () => {
  const chunk = (byte: string) => `1000\r\n${byte.repeat(4096)}\r\n`
  const output = decodeParts(new ChunkedDecoder(defaultHeadLimits), [chunk('a') + chunk('b') + '1\r\nc\r\n0\r\n\r\n'])
  assert.equal(output.text, `${'a'.repeat(4096)}${'b'.repeat(4096)}c`)
  assert.equal(output.parts, 2)
})

test('bytes after the body are not consumed', () => {
  const bytes = Buffer.from('1\r\na\r\n1\r\nb\r\n0\r\n\r\nGET / HTTP/1.1')
  const output = new Decoded()
  const stop = new ChunkedDecoder(limits).decode(bytes, 0, bytes.length, output)
  assert.equal(bytes.toString('latin1', stop), 'GET / HTTP/1.1')
})

test('bytes after the given end are not read', () => {
  const text = '0\r\nX-T: 1\r\n\r\n'
  for (let end = 0; end < text.length; end++) {
    const decoder = new ChunkedDecoder(limits)
    const output = new Decoded()
    const lent = Buffer.from(`${text.slice(0, end)}\r\n\r\n\0`)
    assert.equal(decoder.decode(lent, 0, end, output), end)
    assert.equal(output.completed, 0)
    const rest = Buffer.from(text.slice(end))
    assert.equal(decoder.decode(rest, 0, rest.length, output), rest.length)
    assert.equal(output.trailers?.get('X-T'), '1')
  }
})

test('the end of the connection does not complete a chunked body', () => {
  const decoder = new ChunkedDecoder(limits)
  assert.equal(decodeParts(decoder, ['1\r\na\r\n0\r\n']).completed, 0)
  assert.equal(decoder.close(), false)
})
