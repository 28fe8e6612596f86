import { BoundedMap } from '../../core/bounded-map.ts'

interface Kept<Value> {
  readonly key: string
  readonly value: Value
}

/** How many characters of a key its slot is computed from. */
const HASHED = 10

/**
 * A bounded map keyed by digests, or by other keys that differ in their last characters.
 *
 * A Map with string keys would look up each requested key in V8's string table first, which costs as much as a digest. So values
 * are stored under a number computed from the key, and if two keys share a number the later one wins.
 */
export class DigestMap<Value> {
  private readonly places: BoundedMap<number, Kept<Value>>

  /** Keeps between `size` and twice `size` of the most recently used values. */
  constructor(size: number) {
    this.places = new BoundedMap(size)
  }

  get(key: string): Value | undefined {
    const entry = this.places.get(placeOf(key))
    return entry?.key === key ? entry.value : undefined
  }

  set(key: string, value: Value): void {
    this.places.set(placeOf(key), { key, value })
  }

  delete(key: string): void {
    const place = placeOf(key)
    if (this.places.get(place)?.key === key) this.places.delete(place)
  }

  clear(): void {
    this.places.clear()
  }

  /** Number of values kept. */
  get size(): number {
    return this.places.size
  }
}

/** An integer below 2^30, which V8 stores without allocating. */
function placeOf(key: string): number {
  let place = 0
  for (let i = Math.max(0, key.length - HASHED); i < key.length; i++)
    place = (Math.imul(place, 31) + key.charCodeAt(i)) & 0x3fff_ffff
  return place
}
