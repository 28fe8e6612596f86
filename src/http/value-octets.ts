import { endianness } from 'node:os'
import * as characters from './characters.ts'
import { sharedBuffer } from './read-buffers.ts'

// Octets are read by index, below an end that was looked at: each "!" says so, and costs nothing.
// Constants of this module are put into its compiled code; what is imported is looked up at each use.
const { valueOctet } = characters

/** The octets of the buffer that most heads are read from, four at a time; the first one is the lowest of them. */
const words = new Int32Array(sharedBuffer.buffer, sharedBuffer.byteOffset, sharedBuffer.length >> 2)
const wordsOf: Buffer | null = endianness() === 'LE' ? sharedBuffer : null

/**
 * Where the octets from `start` on end that may stand in a field value (RFC 9110 section 5.5), `end` at most. Up to three octets
 * before `start` are looked at too.
 */
export function skipValue(octets: Buffer, start: number, end: number): number {
  let at = octets === wordsOf ? skipWords(start, end) : start
  while (at < end && valueOctet[octets[at]!] === 1) at++
  return at
}

/** Stops at tabs as well, and before the last word that is not whole. */
function skipWords(start: number, end: number): number {
  const last = end >> 2
  let i = start >> 2
  let bad = 0
  for (; i < last; i++) {
    const word = words[i]!
    const del = word ^ 0x7f7f7f7f
    // The upper bit of each octet below 32, and of each that is 127; of those above the first one perhaps by mistake.
    bad = (((word - 0x20202020) & ~word) | ((del - 0x01010101) & ~del)) & 0x80808080
    if (bad !== 0) break
  }
  // None is in the last one.
  if (i === last || bad === 0) return Math.max(start, i << 2)
  return Math.max(start, (i << 2) + ((31 - Math.clz32(bad & -bad)) >> 3))
}
