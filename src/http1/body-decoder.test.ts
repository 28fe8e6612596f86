import assert from 'node:assert/strict'
import test from 'node:test'
import { Decoded, decodeParts } from '../../test/support/decoding.ts'
import { CloseDecoder, LengthDecoder } from './body-decoder.ts'

test('a body of known length ends after that many bytes, for every split', () => {
  for (let split = 0; split <= 9; split++) {
    const output = decodeParts(new LengthDecoder(7), ['abcdefgxx'.slice(0, split), 'abcdefgxx'.slice(split)])
    assert.equal(output.text, 'abcdefg')
    assert.equal(output.used, 7)
    assert.equal(output.completed, 1)
    assert.equal(output.trailers, null)
  }
})

test('a body of known length is read within the given offsets', () => {
  const output = new Decoded()
  assert.equal(new LengthDecoder(5).decode(Buffer.from('__abc__'), 2, 5, output), 5)
  assert.equal(output.text, 'abc')
  assert.equal(output.completed, 0)
})

test('the end of the connection does not complete a body of known length', () => {
  const decoder = new LengthDecoder(3)
  assert.equal(decodeParts(decoder, ['ab']).completed, 0)
  assert.equal(decoder.close(), false)
})

test('a close-delimited body takes everything, and ends with the connection', () => {
  const decoder = new CloseDecoder()
  const output = decodeParts(decoder, ['ab', '', 'c\r\n\r\n'])
  assert.equal(output.text, 'abc\r\n\r\n')
  assert.equal(output.completed, 0)
  assert.equal(decoder.close(output), true)
  assert.equal(output.completed, 1)
})
