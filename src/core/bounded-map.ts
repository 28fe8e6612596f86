/**
 * A map that keeps roughly the `size` to `2 * size` most recently used entries, in two generations. When the young generation is full, it
 * becomes the old one and the previous old one is discarded. A lookup in the young generation therefore modifies nothing, and no ordered
 * list has to be maintained.
 */
export class BoundedMap<Key, Value> {
  private readonly limit: number
  private young = new Map<Key, Value>()
  private old = new Map<Key, Value>()

  constructor(size: number) {
    this.limit = size
  }

  get(key: Key): Value | undefined {
    const value = this.young.get(key)
    if (value !== undefined) return value
    const older = this.old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: Key, value: Value): void {
    this.old.delete(key)
    if (this.young.size >= this.limit && !this.young.has(key)) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(key, value)
  }

  delete(key: Key): void {
    this.young.delete(key)
    this.old.delete(key)
  }

  clear(): void {
    this.young.clear()
    this.old.clear()
  }

  /** Number of entries in both generations. */
  get size(): number {
    return this.young.size + this.old.size
  }

  *[Symbol.iterator](): Generator<[Key, Value]> {
    yield* this.old
    yield* this.young
  }
}
