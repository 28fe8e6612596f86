import { randomFillSync } from 'node:crypto'

// Octets are read by index, within the buffers that are made here: each "!" says so, and costs nothing.

/** How many are made at once. */
const BATCH = 128
const LENGTH = 36
const DIGIT_4 = 52
const digits = Buffer.from('0123456789abcdef')
/** Octets of randomness for each. */
const OCTETS = 16
/** Where the first of the two digits of each octet is. */
const PLACES = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)
/** Where the version is, and the variant in the upper bits of a digit. */
const VERSION = 14
const VARIANT = 19

const random = Buffer.allocUnsafe(BATCH * OCTETS)
/** Only the digits are written anew. */
const text = Buffer.alloc(BATCH * LENGTH, '-')
let batch = ''
let used = 0

/**
 * A random UUID (version 4, RFC 9562 section 5.4). crypto.randomUUID gives the same put together from twenty strings,
 * which all who write it into a message have to put together again.
 */
export function newUuid(): string {
  if (used === batch.length) refill()
  used += LENGTH
  return batch.slice(used - LENGTH, used)
}

function refill(): void {
  randomFillSync(random)
  let from = 0
  for (let at = 0; at < text.length; at += LENGTH) {
    for (let i = 0; i < OCTETS; i++, from++) {
      const octet = random[from]!
      const place = at + PLACES[i]!
      text[place] = digits[octet >> 4]!
      text[place + 1] = digits[octet & 15]!
    }
    text[at + VERSION] = DIGIT_4
    text[at + VARIANT] = digits[8 | ((random[from - OCTETS / 2]! >> 4) & 3)]!
  }
  batch = text.toString('latin1')
  used = 0
}
