import { fillRandomly } from '../core/random-bytes.ts'

/**
 * Random bytes that are encoded at once, for 128 traces: encoding each id separately would cost more than the rest of a
 * trace. No more than that, as an id that is kept, for a tunnel or as an example in the metrics, keeps all digits of its
 * pool in memory.
 */
const POOL = 3072

const bytes = Buffer.allocUnsafe(POOL)
let digits = ''
let used = 0

/** A new trace id: 32 lower-case hexadecimal digits, all of them random (W3C Trace Context Level 2 section 3.2.2.3). */
export function newTraceId(): string {
  return take(32)
}

/** A new span id: 16 random lower-case hexadecimal digits. */
export function newSpanId(): string {
  return take(16)
}

function take(length: number): string {
  if (digits.length - used < length) {
    fillRandomly(bytes)
    digits = bytes.toString('hex')
    used = 0
  }
  used += length
  return digits.slice(used - length, used)
}
