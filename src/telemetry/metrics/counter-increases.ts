import { cellCount } from './cells.ts'
import { entryOf, keyOf, type SeriesName } from './series.ts'
import type { Cells } from './totals.ts'

/** One series, summed over all threads. */
interface Followed<Meaning> {
  readonly meaning: Meaning
  /** The increases that have not been reported yet. */
  readonly rise: Float64Array
  risen: boolean
}

/** The part of a series that one thread counts. */
interface Place<Meaning> {
  readonly followed: Followed<Meaning>
  readonly cells: Float64Array
  readonly at: number
  /** The numbers at the last look. */
  readonly last: Float64Array
}

/**
 * The increases of some metrics between looks. The meaning of a series is determined once, and a look at an unchanged series only compares
 * two numbers.
 */
export class CounterIncreases<Meaning> {
  private readonly names: ReadonlySet<string>
  private readonly meaningOf: (series: SeriesName) => Meaning
  private readonly leave: (rises: CounterIncreases<Meaning>) => void
  private readonly known = new Map<string, Followed<Meaning>>()
  private readonly places = new Map<object, Map<string, Place<Meaning>>>()
  private risen: Followed<Meaning>[] = []

  /** `leave` is called when this object is closed. */
  constructor(
    names: ReadonlySet<string>,
    meaningOf: (series: SeriesName) => Meaning,
    leave: (rises: CounterIncreases<Meaning>) => void,
  ) {
    this.names = names
    this.meaningOf = meaningOf
    this.leave = leave
  }

  /** `thread` counts a series, starting from its current numbers or from zero. */
  meet(thread: object, series: Cells, from: 'now' | 'zero'): void {
    const { name, cells, at } = series
    if (!this.names.has(name)) return
    const { buckets } = entryOf(series)
    const count = cellCount(buckets)
    const key = keyOf(series)
    const followed = this.known.get(key) ?? {
      meaning: this.meaningOf(series),
      rise: new Float64Array(count),
      risen: false,
    }
    this.known.set(key, followed)
    const places = this.places.get(thread) ?? new Map<string, Place<Meaning>>()
    this.places.set(thread, places)
    const last = from === 'now' ? cells.slice(at, at + count) : new Float64Array(count)
    places.set(key, { followed, cells, at, last })
  }

  /** `thread` no longer counts the series; what it has counted so far is still reported. */
  part(thread: object, series: SeriesName): void {
    const key = keyOf(series)
    const place = this.places.get(thread)?.get(key)
    if (place === undefined) return
    this.take(place)
    this.places.get(thread)?.delete(key)
    if (![...this.places.values()].some((places) => places.has(key))) this.known.delete(key)
  }

  /** `thread` no longer counts anything. */
  partAll(thread: object): void {
    for (const place of this.places.get(thread)?.values() ?? []) this.take(place)
    this.places.delete(thread)
  }

  /** Reports the increase of each series that has risen since the last look. The numbers are valid until `report` returns. */
  look(report: (meaning: Meaning, rise: Float64Array) => void): void {
    for (const places of this.places.values()) for (const place of places.values()) this.take(place)
    const { risen } = this
    this.risen = []
    for (const followed of risen) {
      report(followed.meaning, followed.rise)
      followed.rise.fill(0)
      followed.risen = false
    }
  }

  /** Stops following the metrics. */
  close(): void {
    this.leave(this)
  }

  private take({ followed, cells, at, last }: Place<Meaning>): void {
    const end = last.length - 1
    // The last number of a histogram is the sum of seconds; an observation of zero seconds is counted in the first bucket.
    if (cells[at] === last[0] && cells[at + end] === last[end]) return
    const { rise } = followed
    for (let i = 0; i <= end; i++) {
      const now = cells[at + i] ?? 0
      rise[i] = (rise[i] ?? 0) + now - (last[i] ?? 0)
      last[i] = now
    }
    if (followed.risen) return
    followed.risen = true
    this.risen.push(followed)
  }
}
