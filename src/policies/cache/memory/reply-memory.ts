import { BUCKET_WORDS, ENTRIES, type Layout, layOut, LIVE, LOCK, SEED, UNIT } from './layout.ts'
import { WriteLock } from './write-lock.ts'

/**
 * Memory for stored replies that all threads of the process have in common, as one of them sees it. What is read beyond its end, as
 * where another thread is just writing, is 0.
 */
export class ReplyMemory {
  readonly buffer: SharedArrayBuffer
  readonly layout: Layout
  readonly words: Int32Array
  readonly numbers: Float64Array
  readonly octets: Buffer
  readonly lock: WriteLock

  /** As the thread with that number has it, which is greater than 0. Throws a RangeError for memory that was not made here. */
  constructor(buffer: SharedArrayBuffer, thread: number) {
    const layout = layOut(buffer.byteLength)
    if (layout === null) throw new RangeError('memory for stored replies is too small')
    this.buffer = buffer
    this.layout = layout
    this.words = new Int32Array(buffer)
    this.numbers = new Float64Array(buffer)
    this.octets = Buffer.from(buffer)
    this.lock = new WriteLock(this.words, LOCK, thread)
  }

  /** Makes memory of so many octets, all of it included; null where nothing could be kept in that. Throws a RangeError where there is not so much. */
  static create(octets: number, random: () => number): SharedArrayBuffer | null {
    const layout = layOut(octets)
    if (layout === null) return null
    const buffer = new SharedArrayBuffer(layout.octets)
    new Int32Array(buffer)[SEED] = Math.floor(random() * 2 ** 32)
    return buffer
  }

  word(at: number): number {
    return this.words[at] ?? 0
  }

  number(unit: number): number {
    return this.numbers[unit] ?? 0
  }

  /** Where a word of the ring lies among the octets. */
  octetOf(word: number): number {
    return word * Int32Array.BYTES_PER_ELEMENT
  }

  /** The bucket that a key with that hash lies in. */
  bucketOf(hash: number): number {
    return this.layout.buckets + (hash & this.layout.bucketMask) * BUCKET_WORDS
  }

  /** The head of the chain that a tag with that hash lies in. */
  tagOf(hash: number): number {
    return this.layout.tags + (hash & this.layout.tagMask)
  }

  /** How many entries are stored in it, and their octets. */
  get usage(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.word(ENTRIES), bytes: this.word(LIVE) * UNIT }
  }
}
