/** Size of a read buffer in bytes: a body of 64 KiB fits together with its head. */
const SIZE = 81_920
/**
 * From this size on, in bytes, a chunk is worth a buffer of its own, which is passed on instead of a copy. Data such as
 * events arrives in small chunks at long intervals.
 */
export const BULK = 16_384
/** How many unused buffers a thread keeps. */
const SPARE = 32

/** Reads from a socket. */
export interface Reader {
  /** The buffer for the next read. */
  readonly readBuffer: Buffer
  /** Takes bytes up to `end`; they are only lent. */
  read(bytes: Buffer, end: number): void
}

const spare: Buffer[] = []

/**
 * Shared read buffer for all connections of the thread that need no buffer to themselves: consumed before the read
 * returns.
 */
export const sharedBuffer = Buffer.allocUnsafeSlow(SIZE)

/** A buffer of the same size for the exclusive use of one connection. */
export function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(SIZE)
}

/** Returns the buffer: it must no longer be read into or from. */
export function giveBack(buffer: Buffer): void {
  if (spare.length < SPARE) spare.push(buffer)
}
