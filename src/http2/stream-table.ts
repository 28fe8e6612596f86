/** Binary logarithm of the number of slots of an empty table. */
const BITS = 5
/** 2³² divided by the golden ratio: spreads consecutive ids evenly (Knuth, The Art of Computer Programming, 6.4). */
const SPREAD = 0x9e37_79b1

/**
 * The open streams of a connection, by id. A hash table with linear probing: unlike a `Map`, whose discarded tables
 * keep their last entries alive (see `DenseSet`), it frees a stream as soon as it is deleted.
 */
export class StreamTable<Stream extends { readonly id: number }> {
  private bits = BITS
  private slots = emptySlots<Stream>(BITS)
  private count = 0

  get size(): number {
    return this.count
  }

  get(id: number): Stream | undefined {
    return this.slots[this.find(id)] ?? undefined
  }

  /** Adds a stream, or replaces the one with its id. */
  add(stream: Stream): void {
    const at = this.find(stream.id)
    if (this.slots[at] === null) this.count++
    this.slots[at] = stream
    if (this.count * 2 > this.slots.length) this.grow()
  }

  /** Returns whether there was a stream with that id. */
  delete(id: number): boolean {
    const { slots } = this
    const mask = slots.length - 1
    let gap = this.find(id)
    if (slots[gap] === null) return false
    this.count--
    // Closes the gap with the next stream that may be there: the search for it must not end at the gap.
    for (let at = (gap + 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at] ?? null
      if (stream === null) break
      const home = this.homeOf(stream.id)
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      slots[gap] = stream
      gap = at
    }
    slots[gap] = null
    return true
  }

  clear(): void {
    this.bits = BITS
    this.slots = emptySlots(BITS)
    this.count = 0
  }

  /** The streams that are open now; those that are deleted meanwhile are left out. */
  *values(): Generator<Stream, void> {
    for (const stream of this.slots.slice()) if (stream !== null && this.get(stream.id) === stream) yield stream
  }

  /** The slot of that id, or the free one where it belongs. */
  private find(id: number): number {
    const { slots } = this
    const mask = slots.length - 1
    let at = this.homeOf(id)
    for (;;) {
      const stream = slots[at]
      if (stream === null || stream === undefined || stream.id === id) return at
      at = (at + 1) & mask
    }
  }

  private homeOf(id: number): number {
    return Math.imul(id, SPREAD) >>> (32 - this.bits)
  }

  private grow(): void {
    const streams = this.slots
    this.bits++
    this.slots = emptySlots(this.bits)
    for (const stream of streams) if (stream !== null) this.slots[this.find(stream.id)] = stream
  }
}

function emptySlots<Stream>(bits: number): (Stream | null)[] {
  return Array.from({ length: 1 << bits }, () => null)
}
