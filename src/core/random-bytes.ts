import { randomFillSync } from 'node:crypto'

/**
 * Random bytes that are generated at once. A call of the generator costs as much as several kilobytes, more so when a busy thread
 * has evicted its code from the caches.
 */
const POOL = 32_768

const pool = Buffer.allocUnsafeSlow(POOL)
let used = POOL

/**
 * Fills the buffer, which must not be larger than 32 KiB, with random bytes of cryptographic quality. For IDs only: secrets
 * would stay in memory, in the pool.
 */
export function fillRandomly(into: Uint8Array): void {
  if (POOL - used < into.length) {
    randomFillSync(pool)
    used = 0
  }
  into.set(pool.subarray(used, used + into.length))
  used += into.length
}
