interface Entry<Value> {
  readonly key: string
  readonly value: Value
}

/** Characters of a key that its place is made from. */
const HASHED = 10

/**
 * A map that keeps about the `size` to twice `size` entries that were used last, by digests or other keys that differ in
 * their last characters. Entries are kept in two generations: once the young one is full it becomes the old one, and
 * what the old one held is forgotten. So a lookup in the young one changes nothing, and no list has to be kept in order.
 *
 * A Map by strings would look each key that it is asked for up in the table of all strings first, at the cost of a
 * digest; so entries lie by a number made of the key, and of two keys with one number the latter takes the place.
 */
export class BoundedMap<Value> {
  private readonly limit: number
  private young = new Map<number, Entry<Value>>()
  private old = new Map<number, Entry<Value>>()

  constructor(size: number) {
    this.limit = size
  }

  get(key: string): Value | undefined {
    const place = placeOf(key)
    const entry = this.young.get(place)
    if (entry?.key === key) return entry.value
    const kept = this.old.get(place)
    if (kept?.key !== key) return undefined
    this.put(place, kept)
    return kept.value
  }

  set(key: string, value: Value): void {
    this.put(placeOf(key), { key, value })
  }

  delete(key: string): void {
    const place = placeOf(key)
    for (const generation of [this.young, this.old]) if (generation.get(place)?.key === key) generation.delete(place)
  }

  clear(): void {
    this.young.clear()
    this.old.clear()
  }

  /** Entries in both generations. */
  get size(): number {
    return this.young.size + this.old.size
  }

  private put(place: number, entry: Entry<Value>): void {
    this.old.delete(place)
    if (this.young.size >= this.limit && !this.young.has(place)) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(place, entry)
  }
}

/** A whole number below 2^30, which V8 keeps without an object. */
function placeOf(key: string): number {
  let place = 0
  for (let i = Math.max(0, key.length - HASHED); i < key.length; i++)
    place = (Math.imul(place, 31) + key.charCodeAt(i)) & 0x3fff_ffff
  return place
}
