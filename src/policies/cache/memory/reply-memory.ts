import { BUCKET_WORDS, ENTRIES, type Layout, layOut, LIVE, LOCK, SEED, UNIT } from './layout.ts'
import { WriteLock } from './write-lock.ts'

/**
 * Memory for stored replies that is shared by all threads of the process, as one of them sees it. Reading beyond its end, which can
 * happen while another thread is writing, yields 0.
 */
export class ReplyMemory {
  readonly buffer: SharedArrayBuffer
  readonly layout: Layout
  readonly words: Int32Array
  readonly numbers: Float64Array
  readonly bytes: Buffer
  readonly lock: WriteLock

  /** For the thread with that number, above 0. Throws a RangeError for memory that `create` has not made. */
  constructor(buffer: SharedArrayBuffer, thread: number) {
    const layout = layOut(buffer.byteLength)
    if (layout === null) throw new RangeError('memory for stored replies is too small')
    this.buffer = buffer
    this.layout = layout
    this.words = new Int32Array(buffer)
    this.numbers = new Float64Array(buffer)
    this.bytes = Buffer.from(buffer)
    this.lock = new WriteLock(this.words, LOCK, thread)
  }

  /** Allocates `bytes` in total; null if that is too little to store anything. Throws a RangeError if it cannot be allocated. */
  static create(bytes: number, random: () => number): SharedArrayBuffer | null {
    const layout = layOut(bytes)
    if (layout === null) return null
    const buffer = new SharedArrayBuffer(layout.bytes)
    new Int32Array(buffer)[SEED] = Math.floor(random() * 2 ** 32)
    return buffer
  }

  word(at: number): number {
    return this.words[at] ?? 0
  }

  number(unit: number): number {
    return this.numbers[unit] ?? 0
  }

  /** The position of a word in bytes. */
  byteOf(word: number): number {
    return word * Int32Array.BYTES_PER_ELEMENT
  }

  /** The bucket for keys with that hash. */
  bucketOf(hash: number): number {
    return this.layout.buckets + (hash & this.layout.bucketMask) * BUCKET_WORDS
  }

  /** The head of the chain for tags with that hash. */
  tagOf(hash: number): number {
    return this.layout.tags + (hash & this.layout.tagMask)
  }

  /** The number of live entries, and their size in bytes. */
  get usage(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.word(ENTRIES), bytes: this.word(LIVE) * UNIT }
  }
}
