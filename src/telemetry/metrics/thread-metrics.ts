import type { Clock } from '../../core/clock.ts'
import {
  type LabelsOf,
  type MetricEntry,
  type MetricName,
  type MetricNameOf,
  metricTable,
} from '../../core/metric-table.ts'
import type { Counter, HeldMetrics, Histogram, Gauge, Metrics } from '../../core/metrics.ts'
import { defineTopic } from '../../core/threads.ts'
import { CellMemory, type CellPlace } from './cell-memory.ts'
import { cellCount, CellCounter, CellHistogram, type Exemplar } from './cells.ts'
import { formatLabels } from './labels.ts'

/** How long released series are still exposed, in milliseconds, so that scrapes see their final values. */
export const FORGET = 10 * 60_000

/** One metric with its labels. */
export interface SeriesName {
  readonly name: MetricName
  readonly labels: string
}

/** The location of the numbers of one series. */
export interface SeriesPlace extends SeriesName {
  readonly at: number
  /** Whether the labels come and go. */
  readonly held: boolean
}

/** A change of a thread's series: new ones, whose numbers it then updates without notice, or dropped ones. */
export type SeriesChange =
  | { readonly memory: SharedArrayBuffer; readonly places: readonly SeriesPlace[] }
  | { readonly forgotten: readonly (SeriesName & { readonly last: readonly number[] })[] }

/** One series that this thread counts. */
interface Counted extends SeriesName {
  readonly place: CellPlace
  readonly cells: CellCounter | CellHistogram
  /** The number of holders; Infinity if it is permanent. */
  holders: number
  /** Identifies the last release; null while there is a holder. */
  released: object | null
}

/** A number that is read at the time of a scrape. */
export interface Reading {
  readonly name: MetricName
  readonly labels: string
  readonly value: number
}

/** The exemplars of one histogram: null for a bucket without one. */
export interface Exemplars {
  readonly name: MetricName
  readonly labels: string
  readonly buckets: readonly (Exemplar | null)[]
}

/** A thread's answer to a scrape. */
export interface ThreadAnswer {
  readonly readings: readonly Reading[]
  readonly exemplars: readonly Exemplars[]
}

/** Asks each thread for the values that are not in its cells. */
export const readingsTopic = defineTopic<{ readonly exemplars: boolean }, ThreadAnswer>('metric-readings')

/**
 * The metrics of one thread. The numbers are in memory that the main thread reads at each scrape, so the thread need not be asked for them,
 * and they outlive the thread.
 */
export class ThreadMetrics implements Metrics {
  private readonly announce: (change: SeriesChange) => void
  private readonly clock: Clock
  private readonly memory = new CellMemory()
  private readonly counters = new Map<string, Counted & { readonly cells: CellCounter }>()
  private readonly histograms = new Map<string, Counted & { readonly cells: CellHistogram }>()
  /** If a series is watched several times, the latest watch is read. */
  private readonly watched = new Map<string, readonly (() => Reading)[]>()
  private readonly watchedAll = new Set<() => readonly Reading[]>()
  /** Not announced yet. */
  /** Cancels the pending removals. */
  private readonly waiting = new Set<() => void>()
  private fresh: (SeriesPlace & { readonly memory: SharedArrayBuffer })[] = []

  /** `announce` is called with new series before the thread does anything else. */
  constructor(announce: (change: SeriesChange) => void, clock: Clock) {
    this.announce = announce
    this.clock = clock
  }

  counter<Name extends MetricNameOf<'counter'>>(name: Name, labels: LabelsOf<Name>): Counter {
    return forGood(this.counterOf(name, labels, false)).cells
  }

  histogram<Name extends MetricNameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>): Histogram {
    return forGood(this.histogramOf(name, labels, false)).cells
  }

  gauge<Name extends MetricNameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>): Gauge {
    return forGood(this.counterOf(name, labels, false)).cells
  }

  hold(): HeldMetrics {
    const held = new Set<Counted>()
    const holding = <Each extends Counted>(counted: Each): Each['cells'] => {
      if (held.has(counted)) return counted.cells
      held.add(counted)
      counted.holders++
      counted.released = null
      return counted.cells
    }
    return {
      counter: (name, labels) => holding(this.counterOf(name, labels, true)),
      histogram: (name, labels) => holding(this.histogramOf(name, labels, true)),
      release: () => this.release([...held]),
    }
  }

  watch<Name extends MetricNameOf<'counter' | 'gauge' | 'summary'>>(
    name: Name,
    labels: LabelsOf<Name>,
    read: () => number,
  ): () => void {
    const text = formatLabels(metricTable[name].labels, labels)
    const key = `${name} ${text}`
    const reading = (): Reading => ({ name, labels: text, value: read() })
    this.watched.set(key, [...(this.watched.get(key) ?? []), reading])
    return () => {
      const left = (this.watched.get(key) ?? []).filter((each) => each !== reading)
      if (left.length === 0) this.watched.delete(key)
      else this.watched.set(key, left)
    }
  }

  watchAll<Name extends MetricNameOf<'counter' | 'gauge' | 'summary'>>(
    name: Name,
    read: () => readonly { readonly labels: LabelsOf<Name>; readonly value: number }[],
  ): () => void {
    const { labels: names } = metricTable[name]
    // The text of labels that are the same object each time is made only once.
    const texts = new WeakMap<LabelsOf<Name>, string>()
    const textOf = (labels: LabelsOf<Name>): string => {
      const known = texts.get(labels)
      if (known !== undefined) return known
      const text = formatLabels(names, labels)
      texts.set(labels, text)
      return text
    }
    const readings = (): Reading[] => read().map(({ labels, value }) => ({ name, labels: textOf(labels), value }))
    this.watchedAll.add(readings)
    return () => void this.watchedAll.delete(readings)
  }

  /** The values that are not in the cells: watched values, and exemplars if requested. */
  read({ exemplars }: { readonly exemplars: boolean }): ThreadAnswer {
    const examples = [...(exemplars ? this.histograms.values() : [])].flatMap(({ name, labels, cells }) => {
      const buckets = cells.exemplars()
      return buckets === null ? [] : [{ name, labels, buckets }]
    })
    return {
      readings: [
        ...[...this.watched.values()].flatMap((all) => all.at(-1)?.() ?? []),
        ...[...this.watchedAll].flatMap((readings) => readings()),
      ],
      exemplars: examples,
    }
  }

  private counterOf<Name extends MetricNameOf<'counter' | 'gauge'>>(
    name: Name,
    labels: LabelsOf<Name>,
    held: boolean,
  ): Counted & { readonly cells: CellCounter } {
    const text = formatLabels(metricTable[name].labels, labels)
    const key = keyOf({ name, labels: text })
    const known = this.counters.get(key)
    if (known !== undefined) return known
    const place = this.allot(name, text, held)
    const made = {
      name,
      labels: text,
      place,
      cells: new CellCounter(place.cells, place.at),
      holders: 0,
      released: null,
    }
    this.counters.set(key, made)
    return made
  }

  private histogramOf<Name extends MetricNameOf<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    held: boolean,
  ): Counted & { readonly cells: CellHistogram } {
    const { labels: names, buckets } = metricTable[name]
    const text = formatLabels(names, labels)
    const key = keyOf({ name, labels: text })
    const known = this.histograms.get(key)
    if (known !== undefined) return known
    const place = this.allot(name, text, held)
    const cells = new CellHistogram(place.cells, place.at, buckets, this.clock)
    const made = { name, labels: text, place, cells, holders: 0, released: null }
    this.histograms.set(key, made)
    return made
  }

  private allot(name: MetricName, labels: string, held: boolean): CellPlace {
    const { buckets }: MetricEntry = metricTable[name]
    const place = this.memory.take(cellCount(buckets))
    if (this.fresh.length === 0) queueMicrotask(() => this.flush())
    this.fresh.push({ name, labels, at: place.at, held, memory: place.cells.buffer })
    return place
  }

  private flush(): void {
    const { fresh } = this
    this.fresh = []
    for (const memory of new Set(fresh.map((place) => place.memory)))
      this.announce({
        memory,
        places: fresh
          .filter((place) => place.memory === memory)
          .map(({ name, labels, at, held }) => ({ name, labels, at, held })),
      })
  }

  /** Cancels all pending removals, because the thread is ending. */
  close(): void {
    for (const cancel of this.waiting) cancel()
    this.waiting.clear()
  }

  private later(task: () => void): void {
    const cancel = this.clock.after(FORGET, () => {
      this.waiting.delete(cancel)
      task()
    })
    this.waiting.add(cancel)
  }

  private release(held: readonly Counted[]): void {
    const release = {}
    for (const counted of held) if (--counted.holders === 0) counted.released = release
    this.later(() => this.forget(held.filter(({ released }) => released === release)))
  }

  private forget(gone: readonly Counted[]): void {
    if (gone.length === 0) return
    // New series are announced before their removal.
    this.flush()
    for (const counted of gone) {
      const key = keyOf(counted)
      this.counters.delete(key)
      this.histograms.delete(key)
      // A remaining holder, e.g. a request that has not ended, must not count towards other series.
      counted.cells.detach()
    }
    this.announce({
      forgotten: gone.map(({ name, labels, place: { cells, at, count } }) => ({
        name,
        labels,
        last: [...cells.subarray(at, at + count)],
      })),
    })
    // Not before the main thread has stopped reading this range.
    this.later(() => {
      for (const { place } of gone) this.memory.giveBack(place)
    })
  }
}

function forGood<Each extends Counted>(counted: Each): Each {
  counted.holders = Number.POSITIVE_INFINITY
  counted.released = null
  return counted
}

/** A text that identifies one series. */
export function keyOf({ name, labels }: SeriesName): string {
  return `${name} ${labels}`
}
