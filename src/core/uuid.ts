import { fillRandomly } from './random-bytes.ts'

// Bytes are read by index from buffers created in this file, so every "!" is safe and costs nothing.

/** Number of UUIDs generated per batch. */
const BATCH = 128
const LENGTH = 36
const DIGIT_4 = 52
const digits = Buffer.from('0123456789abcdef')
/** Random bytes per UUID. */
const BYTES = 16
/** Position of the first of the two digits of each byte. */
const PLACES = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)
/** Position of the version digit, and of the digit whose upper bits are the variant. */
const VERSION = 14
const VARIANT = 19

const random = Buffer.allocUnsafe(BATCH * BYTES)
/** Only the digits are overwritten for each batch. */
const text = Buffer.alloc(BATCH * LENGTH, '-')
let batch = ''
let used = 0

/**
 * Returns a random UUID (version 4, RFC 9562 section 5.4). crypto.randomUUID concatenates twenty strings for each one, which must be
 * flattened again whenever it is written to a message.
 */
export function newUuid(): string {
  if (used === batch.length) refill()
  used += LENGTH
  return batch.slice(used - LENGTH, used)
}

function refill(): void {
  fillRandomly(random)
  let from = 0
  for (let at = 0; at < text.length; at += LENGTH) {
    for (let i = 0; i < BYTES; i++, from++) {
      const byte = random[from]!
      const place = at + PLACES[i]!
      text[place] = digits[byte >> 4]!
      text[place + 1] = digits[byte & 15]!
    }
    text[at + VERSION] = DIGIT_4
    text[at + VARIANT] = digits[8 | ((random[from - BYTES / 2]! >> 4) & 3)]!
  }
  batch = text.toString('latin1')
  used = 0
}
