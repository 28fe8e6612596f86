import { endianness } from 'node:os'
import * as characters from './characters.ts'
import { sharedBuffer } from './read-buffers.ts'

// Bytes are read by index below an end that has been checked: each "!" asserts that, and costs nothing. Constants of
// this module are inlined into its compiled code, whereas imports are looked up at each use.
const { allowedInValue } = characters

/** The bytes of the shared read buffer, which most heads are read from, as little-endian words of four. */
const words = new Int32Array(sharedBuffer.buffer, sharedBuffer.byteOffset, sharedBuffer.length >> 2)
const wordsOf: Buffer | null = endianness() === 'LE' ? sharedBuffer : null

/**
 * The end of the run of bytes from `start` on that are valid in a field value (RFC 9110 section 5.5); at most `end`.
 * May read up to three bytes before `start`.
 */
export function skipValue(bytes: Buffer, start: number, end: number): number {
  let at = bytes === wordsOf ? skipWords(start, end) : start
  while (at < end && allowedInValue[bytes[at]!] === 1) at++
  return at
}

/** Works on whole words: also stops at tabs, and before a last partial word. */
function skipWords(start: number, end: number): number {
  const last = end >> 2
  let i = start >> 2
  let bad = 0
  for (; i < last; i++) {
    const word = words[i]!
    const del = word ^ 0x7f7f7f7f
    // The top bit of each byte that is below 32 or equal to 127; bits above the lowest one set may be false positives.
    bad = (((word - 0x20202020) & ~word) | ((del - 0x01010101) & ~del)) & 0x80808080
    if (bad !== 0) break
  }
  // Nothing found in the last word.
  if (i === last || bad === 0) return Math.max(start, i << 2)
  return Math.max(start, (i << 2) + ((31 - Math.clz32(bad & -bad)) >> 3))
}
