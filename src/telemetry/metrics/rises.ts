import { type MetricEntry, type MetricName, metricTable } from '../../core/metric-table.ts'
import { cellCount } from './cells.ts'
import { keyOf, type SeriesName } from './thread-metrics.ts'
import type { Cells } from './totals.ts'

/** One metric with its labels, of all threads. */
interface Followed<Meaning> {
  readonly meaning: Meaning
  /** By how much its numbers have risen, and nobody was told yet. */
  readonly rise: Float64Array
  risen: boolean
}

/** What one thread counts of it. */
interface Place<Meaning> {
  readonly followed: Followed<Meaning>
  readonly cells: Float64Array
  readonly at: number
  /** Its numbers when they were looked at last. */
  readonly last: Float64Array
}

/**
 * By how much the counts of some metrics rise from look to look. What a series stands for is found out once, and a look costs two numbers
 * for each that has not changed.
 */
export class Rises<Meaning> {
  private readonly names: ReadonlySet<MetricName>
  private readonly meaningOf: (series: SeriesName) => Meaning
  private readonly leave: (rises: Rises<Meaning>) => void
  private readonly known = new Map<string, Followed<Meaning>>()
  private readonly places = new Map<object, Map<string, Place<Meaning>>>()
  private risen: Followed<Meaning>[] = []

  /** `leave` is called once nobody looks any more. */
  constructor(
    names: ReadonlySet<MetricName>,
    meaningOf: (series: SeriesName) => Meaning,
    leave: (rises: Rises<Meaning>) => void,
  ) {
    this.names = names
    this.meaningOf = meaningOf
    this.leave = leave
  }

  /** `thread` counts something, from those numbers on. */
  meet(thread: object, series: Cells, from: 'now' | 'zero'): void {
    const { name, cells, at } = series
    if (!this.names.has(name)) return
    const { buckets }: MetricEntry = metricTable[name]
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

  /** `thread` counts that no more: what it has counted is still told. */
  part(thread: object, series: SeriesName): void {
    const key = keyOf(series)
    const place = this.places.get(thread)?.get(key)
    if (place === undefined) return
    this.take(place)
    this.places.get(thread)?.delete(key)
    if (![...this.places.values()].some((places) => places.has(key))) this.known.delete(key)
  }

  /** `thread` counts nothing any more. */
  partAll(thread: object): void {
    for (const place of this.places.get(thread)?.values() ?? []) this.take(place)
    this.places.delete(thread)
  }

  /** Tells of each series that has risen since the last look, by how much. The numbers are good until `told` returns. */
  look(told: (meaning: Meaning, rise: Float64Array) => void): void {
    for (const places of this.places.values()) for (const place of places.values()) this.take(place)
    const { risen } = this
    this.risen = []
    for (const followed of risen) {
      told(followed.meaning, followed.rise)
      followed.rise.fill(0)
      followed.risen = false
    }
  }

  /** Nobody looks any more. */
  close(): void {
    this.leave(this)
  }

  private take({ followed, cells, at, last }: Place<Meaning>): void {
    const end = last.length - 1
    // Of a histogram the last number is the seconds: what took none at all is in the first bucket.
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
