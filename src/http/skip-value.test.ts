import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { allowedInValue } from './characters.ts'
import { sharedBuffer } from './read-buffers.ts'
import { skipValue } from './skip-value.ts'

function slowly(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && allowedInValue[bytes[at]!] === 1) at++
  return at
}

/** Mostly bytes that may stand in a value. */
const byte = fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) }, fc.integer({ min: 0, max: 255 }))
const text = fc.array(byte, { minLength: 4, maxLength: 60 })
const offset = fc.integer({ min: 0, max: 7 })

test('property: the end of a value is found at any offset, whatever is around it', () =>
  fc.assert(
    fc.property(text, text, offset, offset, (before, value, shift, rest) => {
      const start = shift + before.length
      const end = start + value.length - Math.min(rest, value.length)
      sharedBuffer.set([...before, ...value], shift)
      const own = Buffer.from(sharedBuffer.subarray(0, start + value.length))
      assert.equal(skipValue(sharedBuffer, start, end), slowly(own, start, end))
      assert.equal(skipValue(own, start, end), slowly(own, start, end))
    }),
    { numRuns: 2000 },
  ))

test('each byte ends a value, or does not, at each position in a word', () => {
  for (let place = 0; place < 4; place++)
    for (let found = 0; found < 256; found++) {
      sharedBuffer.fill('a', 0, 16)
      sharedBuffer[4 + place] = found
      assert.equal(skipValue(sharedBuffer, 2, 16), allowedInValue[found] === 1 ? 16 : 4 + place, `byte ${found}`)
    }
})

test('a value ends at the end of the buffer', () => {
  const { length } = sharedBuffer
  sharedBuffer.fill('a')
  for (let start = length - 9; start <= length; start++) assert.equal(skipValue(sharedBuffer, start, length), length)
})
