import assert from 'node:assert/strict'
import test from 'node:test'
import { array, assert as check, boolean, constantFrom, nat, oneof, property, record } from 'fast-check'
import { closeFrame, FrameBoundaries } from './websocket-close.ts'

/** A frame as RFC 6455 section 5.2 has it, with as many bytes of payload. */
function frame(opcode: number, length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0
  const head = [0x80 | opcode, mask | (length < 126 ? length : length < 65_536 ? 126 : 127)]
  const extended = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8)
  if (extended.length === 2) extended.writeUInt16BE(length)
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(length))
  // What looks like a header of its own.
  return Buffer.concat([Buffer.from(head), extended, Buffer.alloc(masked ? 4 : 0), Buffer.alloc(length, 0x88)])
}

const frames = array(
  record({
    opcode: constantFrom(0, 1, 2, 9, 10),
    length: oneof(nat(130), constantFrom(125, 126, 65_535, 65_536, 70_000)),
    masked: boolean(),
  }),
  { minLength: 1, maxLength: 5 },
)

/** The bytes in pieces that end where the numbers say. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

test('property: the end of each frame is found, however the bytes are split', () => {
  check(
    property(frames, array(nat(), { maxLength: 12 }), (list, cuts) => {
      const all = list.map(({ opcode, length, masked }) => frame(opcode, length, masked))
      const ends = new Set(all.map((_, i) => Buffer.concat(all.slice(0, i + 1)).length))
      const boundaries = new FrameBoundaries()
      let at = 0
      for (const piece of pieces(Buffer.concat(all), cuts)) {
        boundaries.follow(piece)
        at += piece.length
        assert.equal(boundaries.between, at === 0 || ends.has(at))
      }
      assert.equal(boundaries.closed, false)
    }),
  )
})

test('property: the rest of a frame is separated from what follows it', () => {
  check(
    property(frames, nat(), (list, cut) => {
      const all = list.map(({ opcode, length, masked }) => frame(opcode, length, masked))
      const [first] = all
      const bytes = Buffer.concat(all)
      const begun = 1 + (cut % first!.length)
      const boundaries = new FrameBoundaries()
      boundaries.follow(bytes.subarray(0, begun))
      if (begun < first!.length) assert.equal(boundaries.followOne(bytes.subarray(begun)), first!.length - begun)
      assert.ok(boundaries.between)
    }),
  )
})

test('a frame that continues after the bytes does not end in them', () => {
  const boundaries = new FrameBoundaries()
  const bytes = frame(1, 70_000, false)
  boundaries.follow(bytes.subarray(0, 3))
  assert.equal(boundaries.followOne(bytes.subarray(3, 100)), 97)
  assert.equal(boundaries.between, false)
})

test('a Close frame is detected, and closeFrame creates one', () => {
  const boundaries = new FrameBoundaries()
  boundaries.follow(frame(1, 5, false))
  assert.equal(boundaries.closed, false)
  const close = closeFrame(1001)
  assert.deepEqual([...close], [0x88, 2, 0x03, 0xe9])
  boundaries.follow(close)
  assert.deepEqual([boundaries.closed, boundaries.between], [true, true])
})
