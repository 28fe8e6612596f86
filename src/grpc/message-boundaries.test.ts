import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { MessageBoundaries } from './message-boundaries.ts'
import { frame } from './message-frame.ts'

test('property: bytes end within a message unless they consist of whole messages, however they are split', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
      fc.nat(),
      fc.array(fc.nat(), { maxLength: 5 }),
      (messages, end, cuts) => {
        const frames = messages.map((message) => frame(message))
        const all = Buffer.concat(frames)
        const bytes = all.subarray(0, end % (all.length + 1))
        let place = 0
        const places = new Set([0, ...frames.map(({ length }) => (place += length))])
        const boundaries = new MessageBoundaries()
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
        for (const [i, from] of at.entries()) boundaries.follow(bytes.subarray(from, at[i + 1] ?? bytes.length))
        assert.equal(boundaries.isPartial, !places.has(bytes.length))
      },
    ),
  )
})

test('the longest message has a length of 32 bits', () => {
  const boundaries = new MessageBoundaries()
  boundaries.follow(Buffer.from([0, 255, 255, 255, 255, 1]))
  assert.ok(boundaries.isPartial)
})
