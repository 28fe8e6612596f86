import { randomFillSync } from 'node:crypto'

/** How many are made at once. */
const BATCH = 128
const LENGTH = 36
const HYPHEN = 45
const digits = Buffer.from('0123456789abcdef')
/** Digits before which there is a hyphen. */
const GROUPS = new Set([8, 12, 16, 20])
/** Digits with the version, and with the variant in their upper bits. */
const VERSION = 12
const VARIANT = 16

const random = Buffer.allocUnsafe(BATCH * 32)
const text = Buffer.allocUnsafe(BATCH * LENGTH)
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
  let at = 0
  for (let from = 0; from < random.length; from += 32)
    for (let i = 0; i < 32; i++) {
      if (GROUPS.has(i)) text[at++] = HYPHEN
      const bits = random[from + i]! & 15
      text[at++] = digits[i === VERSION ? 4 : i === VARIANT ? 8 | (bits & 3) : bits]!
    }
  batch = text.toString('latin1')
  used = 0
}
