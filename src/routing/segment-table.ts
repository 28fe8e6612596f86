interface Entry<Value> {
  readonly key: string
  readonly value: Value
}

/** Initial number of places. */
const MIN_COUNT = 4

/**
 * A hash table from short texts to values, looked up by a range within a longer text. A Map would require the range to be cut out, which
 * allocates a string, hashes it and internalizes it. Uses open addressing; at least half of the places are free.
 */
export class SegmentTable<Value> {
  private readonly entries: Entry<Value>[] = []
  /** Two numbers per place: the hash, and 1 plus the index of the entry, or 0 if free. */
  private places = new Int32Array(2 * MIN_COUNT)

  get size(): number {
    return this.entries.length
  }

  /** The value for the text from `start` to `end`. */
  get(text: string, start: number, end: number): Value | undefined {
    const { places, entries } = this
    const hash = hashOf(text, start, end)
    const last = places.length / 2 - 1
    for (let place = hash & last; ; place = (place + 1) & last) {
      const entry = entries[(places[2 * place + 1] ?? 0) - 1]
      if (entry === undefined) return undefined
      const { key } = entry
      if (places[2 * place] === hash && key.length === end - start && text.startsWith(key, start)) return entry.value
    }
  }

  /** The value for the key, created by `create` if missing. */
  ensure(key: string, create: () => Value): Value {
    const known = this.get(key, 0, key.length)
    if (known !== undefined) return known
    const value = create()
    this.entries.push({ key, value })
    if (4 * this.entries.length > this.places.length) this.grow()
    else put(this.places, key, this.entries.length)
    return value
  }

  private grow(): void {
    const places = new Int32Array(2 * this.places.length)
    for (const [i, { key }] of this.entries.entries()) put(places, key, i + 1)
    this.places = places
  }
}

/** Stores the number of an entry in the first free place. */
function put(places: Int32Array, key: string, number: number): void {
  const hash = hashOf(key, 0, key.length)
  const last = places.length / 2 - 1
  let place = hash & last
  while (places[2 * place + 1] !== 0) place = (place + 1) & last
  places[2 * place] = hash
  places[2 * place + 1] = number
}

/** FNV-1a over the characters, mixed so that the lower bits, which select the place, also depend on the upper ones. */
function hashOf(text: string, start: number, end: number): number {
  let state = 0x811c9dc5
  for (let i = start; i < end; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  return state ^ (state >>> 15)
}
