import { BoundedMap } from '../../core/bounded-map.ts'

interface Kept<Value> {
  readonly key: string
  readonly value: Value
}

/** Characters of a key that its place is made from. */
const HASHED = 10

/**
 * A bounded map by digests, or other keys that differ in their last characters.
 *
 * A Map by strings would look each key that it is asked for up in the table of all strings first, at the cost of a
 * digest; so values lie by a number made of the key, and of two keys with one number the latter takes the place.
 */
export class DigestMap<Value> {
  private readonly places: BoundedMap<number, Kept<Value>>

  /** It keeps about the `size` to twice `size` values that were used last. */
  constructor(size: number) {
    this.places = new BoundedMap(size)
  }

  get(key: string): Value | undefined {
    const kept = this.places.get(placeOf(key))
    return kept?.key === key ? kept.value : undefined
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

  /** Values that are kept. */
  get size(): number {
    return this.places.size
  }
}

/** A whole number below 2^30, which V8 keeps without an object. */
function placeOf(key: string): number {
  let place = 0
  for (let i = Math.max(0, key.length - HASHED); i < key.length; i++)
    place = (Math.imul(place, 31) + key.charCodeAt(i)) & 0x3fff_ffff
  return place
}
