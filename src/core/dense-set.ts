/**
 * A set of objects that come and go all the time, in no particular order. Each object stores its index in the property
 * named by `Index`, which belongs to the set.
 *
 * A `Set` that changes all the time allocates a new hash table every few dozen changes, and V8 links each discarded
 * table to its successor. Once one of them has been promoted to the old generation, no scavenge can free the later
 * ones, or the objects that were in them: all of these wait for the next full collection.
 *
 * Objects may be added and deleted during an iteration: each object that stays is visited.
 */
export class DenseSet<Index extends string, Item extends Record<Index, number>> {
  private readonly index: Index
  private readonly items: Item[] = []

  constructor(index: Index) {
    this.index = index
  }

  get size(): number {
    return this.items.length
  }

  has(item: Item): boolean {
    return this.items[item[this.index]] === item
  }

  add(item: Item): void {
    if (this.has(item)) return
    this.put(item, item, this.items.length)
  }

  /** Returns whether it was in the set. */
  delete(item: Item): boolean {
    if (!this.has(item)) return false
    const last = this.items.pop()
    if (last !== undefined && last !== item) this.put(last, last, item[this.index])
    return true
  }

  /** The first match; objects that were added early come first, except that later ones fill the gaps of deleted ones. */
  find(matches: (item: Item) => boolean): Item | undefined {
    return this.items.find(matches)
  }

  /** From the end: the object that fills the gap of a deleted one was visited before. */
  *[Symbol.iterator](): Generator<Item, void> {
    for (let index = this.items.length - 1; index >= 0; index--) {
      const item = this.items[index]
      if (item !== undefined) yield item
    }
  }

  private put(item: Item, indexed: Record<Index, number>, index: number): void {
    this.items[index] = item
    indexed[this.index] = index
  }
}
