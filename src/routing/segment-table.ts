interface Entry<Value> {
  readonly key: string
  readonly value: Value
}

/** Places at first. */
const FEWEST = 4

/**
 * Values by short texts, found by a part of a longer text: a Map needs that part cut out, which makes a text, hashes it and looks for
 * it among all texts of the program. Open addressing; half of the places or more are free.
 */
export class SegmentTable<Value> {
  private readonly entries: Entry<Value>[] = []
  /** Two numbers for each place: the hash, and 1 more than the index of the entry, or 0 where it is free. */
  private places = new Int32Array(2 * FEWEST)

  get size(): number {
    return this.entries.length
  }

  /** The value of the text from `start` to `end`. */
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

  /** The value under the key, made by `create` when it is new. */
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

/** Puts the number of an entry into the first place that is free. */
function put(places: Int32Array, key: string, number: number): void {
  const hash = hashOf(key, 0, key.length)
  const last = places.length / 2 - 1
  let place = hash & last
  while (places[2 * place + 1] !== 0) place = (place + 1) & last
  places[2 * place] = hash
  places[2 * place + 1] = number
}

/** FNV-1a over the characters; the lower bits, which choose the place, depend on the upper ones too. */
function hashOf(text: string, start: number, end: number): number {
  let state = 0x811c9dc5
  for (let i = start; i < end; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  return state ^ (state >>> 15)
}
