/** Octets of a buffer that is read into: a body of 64 KiB fits with its head. */
const SIZE = 81_920
/** How many unused buffers a thread keeps. */
const SPARE = 32

/** Who reads from a socket. */
export interface Reader {
  /** What is to be read into next. */
  readonly readBuffer: Buffer
  /** Takes octets up to `end`, which are only lent. */
  read(octets: Buffer, end: number): void
}

const spare: Buffer[] = []

/** Where every connection of the thread is read into that needs no buffer of its own: used up before the read ends. */
export const sharedBuffer = Buffer.allocUnsafeSlow(SIZE)

/** A buffer of the same size for one connection alone. */
export function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(SIZE)
}

/** The buffer is needed no more: nobody may read into it, or from it, any longer. */
export function giveBack(buffer: Buffer): void {
  if (spare.length < SPARE) spare.push(buffer)
}
