import { createHash } from 'node:crypto'

/** Bytes in which no part is like another: a shift, a loss and a repetition all change the digest. */
export function bytes(length: number): Buffer {
  const block = Buffer.alloc(65_537)
  for (let i = 0, state = 1; i < block.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    block[i] = state >>> 16
  }
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, block)
}

/** In hexadecimal. */
export function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
