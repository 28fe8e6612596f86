import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { frame } from './message-frame.ts'
import { MessageReader, UnreadableMessages } from './message-reader.ts'

test('property: messages are read and copied however they are split', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.array(fc.nat(), { maxLength: 10 }), (messages, cuts) => {
      const bytes = Buffer.concat(messages.map((message) => frame(message)))
      const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
      const reader = new MessageReader(40)
      const read = places.slice(1).flatMap((end, i) => {
        const chunk = Buffer.from(bytes.subarray(places[i], end))
        const found = reader.read(chunk)
        // It was only lent.
        chunk.fill(0xaa)
        return found
      })
      assert.deepEqual(
        read,
        messages.map((message) => Buffer.from(message)),
      )
      assert.equal(reader.isPartial, false)
    }),
  )
})

test('an incomplete message is known, and only uses memory for what has arrived', () => {
  const reader = new MessageReader(2 ** 32)
  assert.deepEqual(reader.read(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])), [])
  assert.equal(reader.isPartial, true)
})

for (const [what, bytes] of [
  ['over the limit', [0, 0, 0, 0, 9]],
  ['compressed', [1, 0, 0, 0, 1]],
  ['none', [0x48, 0x54, 0x54, 0x50, 0x2f]],
] as const)
  test(`a message that is ${what} is rejected`, () => {
    assert.throws(() => new MessageReader(8).read(Buffer.from(bytes)), UnreadableMessages)
  })
