/** An item stored under a key, with its links in the order of use. */
export interface LruItem<Item> {
  readonly key: string
  /** In bytes. */
  readonly size: number
  newer: Item | null
  older: Item | null
}

/** Holds at most `limit` bytes of items; the least recently used ones are evicted to make room for others. */
export class Lru<Item extends LruItem<Item>> {
  private readonly limit: number
  private readonly evicted: (item: Item) => void
  private readonly items = new Map<string, Item>()
  private newest: Item | null = null
  private oldest: Item | null = null
  private used = 0

  /** `evicted` is called with each item that was evicted to make room. */
  constructor(limit: number, evicted: (item: Item) => void) {
    this.limit = limit
    this.evicted = evicted
  }

  /** Number of items. */
  get size(): number {
    return this.items.size
  }

  /** Total size of all items, in bytes. */
  get bytes(): number {
    return this.used
  }

  /** False for an item so large that it would evict a good part of the others. */
  hasRoomFor(size: number): boolean {
    return size <= this.limit / 8
  }

  /** Looks up the item with that key and marks it as just used. */
  use(key: string): Item | undefined {
    const item = this.items.get(key)
    if (item !== undefined) this.touch(item)
    return item
  }

  /** Marks an item that is present as just used. */
  touch(item: Item): void {
    if (item === this.newest) return
    this.unlink(item)
    this.link(item)
  }

  /** Looks up an item without marking it as used. */
  get(key: string): Item | undefined {
    return this.items.get(key)
  }

  values(): Iterable<Item> {
    return this.items.values()
  }

  /** Adds an item as the most recently used one. Its key must not be present. */
  add(item: Item): void {
    this.items.set(item.key, item)
    this.used += item.size
    this.link(item)
    if (this.used > this.limit) this.makeRoom()
  }

  /** Returns whether the item was present. */
  remove(item: Item): boolean {
    if (!this.items.delete(item.key)) return false
    this.used -= item.size
    this.unlink(item)
    return true
  }

  private makeRoom(): void {
    while (this.used > this.limit && this.oldest !== null) {
      const { oldest } = this
      this.remove(oldest)
      this.evicted(oldest)
    }
  }

  private link(item: Item): void {
    item.newer = null
    item.older = this.newest
    if (this.newest === null) this.oldest = item
    else this.newest.newer = item
    this.newest = item
  }

  private unlink({ newer, older }: Item): void {
    if (newer === null) this.newest = older
    else newer.older = older
    if (older === null) this.oldest = newer
    else older.newer = newer
  }
}
