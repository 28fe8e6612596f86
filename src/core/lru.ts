/** Something that is kept by a key, with its place in the order in which things were used. */
export interface LruItem<Item> {
  readonly key: string
  /** In octets. */
  readonly size: number
  newer: Item | null
  older: Item | null
}

/** At most `limit` octets of items: those that were used least recently make room for others. */
export class Lru<Item extends LruItem<Item>> {
  private readonly limit: number
  private readonly evicted: (item: Item) => void
  private readonly items = new Map<string, Item>()
  private newest: Item | null = null
  private oldest: Item | null = null
  private used = 0

  /** `evicted` is told of each item that has made room. */
  constructor(limit: number, evicted: (item: Item) => void) {
    this.limit = limit
    this.evicted = evicted
  }

  /** Items in all. */
  get size(): number {
    return this.items.size
  }

  /** Octets of all items. */
  get octets(): number {
    return this.used
  }

  /** False for one that would drive out a good part of all others: that is not worth it. */
  hasRoomFor(size: number): boolean {
    return size <= this.limit / 8
  }

  /** The item of that key, which has been used now. */
  use(key: string): Item | undefined {
    const item = this.items.get(key)
    if (item !== undefined) this.touch(item)
    return item
  }

  /** One that is here has been used now. */
  touch(item: Item): void {
    if (item === this.newest) return
    this.unlink(item)
    this.link(item)
  }

  /** The same without a use. */
  get(key: string): Item | undefined {
    return this.items.get(key)
  }

  values(): Iterable<Item> {
    return this.items.values()
  }

  /** Takes an item in, whose key must not be here, as the one used last. */
  add(item: Item): void {
    this.items.set(item.key, item)
    this.used += item.size
    this.link(item)
    if (this.used > this.limit) this.makeRoom()
  }

  /** Whether it was here. */
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
