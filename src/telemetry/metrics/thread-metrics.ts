import type { Clock } from '../../core/clock.ts'
import {
  type LabelsOf,
  type MetricEntry,
  type MetricName,
  type MetricNameOf,
  metricTable,
} from '../../core/metric-table.ts'
import type { Counter, Histogram, Metrics } from '../../core/metrics.ts'
import { defineTopic } from '../../core/threads.ts'
import { cellCount, CellCounter, CellHistogram, type Exemplar } from './cells.ts'
import { formatLabels } from './labels.ts'

/** Numbers in one piece of memory: 64 KiB. */
const CELLS = 8192

/** Where the numbers of one metric with its labels are. */
export interface SeriesPlace {
  readonly name: MetricName
  readonly labels: string
  readonly at: number
}

/** New series, whose numbers the thread will change without telling anybody. */
export interface NewSeries {
  readonly memory: SharedArrayBuffer
  readonly places: readonly SeriesPlace[]
}

/** A number that was read at the moment of a scrape. */
export interface Reading {
  readonly name: MetricName
  readonly labels: string
  readonly value: number
}

/** The exemplars of one histogram: null for a bucket without. */
export interface Exemplars {
  readonly name: MetricName
  readonly labels: string
  readonly buckets: readonly (Exemplar | null)[]
}

/** What a thread answers a scrape. */
export interface ThreadAnswer {
  readonly readings: readonly Reading[]
  readonly exemplars: readonly Exemplars[]
}

/** Asks each thread for what is not in its cells. */
export const readingsTopic = defineTopic<{ readonly exemplars: boolean }, ThreadAnswer>('metric-readings')

/**
 * The metrics of one thread. Their numbers lie in memory that the main thread reads whenever it is scraped: nothing has
 * to be asked for them, and what a thread has counted outlives it.
 */
export class ThreadMetrics implements Metrics {
  private readonly announce: (series: NewSeries) => void
  private readonly clock: Clock
  private readonly counters = new Map<string, CellCounter>()
  private readonly histograms = new Map<
    string,
    { readonly labels: string; readonly name: MetricName; readonly cells: CellHistogram }
  >()
  /** Of those of one series the last one is read. */
  private readonly watched = new Map<string, readonly (() => Reading)[]>()
  private readonly watchedAll = new Set<() => readonly Reading[]>()
  private cells = allocate(0)
  private used = 0
  private places: SeriesPlace[] = []

  /** `announce` is told of new series before the thread does anything else. */
  constructor(announce: (series: NewSeries) => void, clock: Clock) {
    this.announce = announce
    this.clock = clock
  }

  counter<Name extends MetricNameOf<'counter'>>(name: Name, labels: LabelsOf<Name>): Counter {
    const text = formatLabels(metricTable[name].labels, labels)
    const key = `${name} ${text}`
    const made = this.counters.get(key) ?? new CellCounter(...this.allot(name, text))
    this.counters.set(key, made)
    return made
  }

  histogram<Name extends MetricNameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>): Histogram {
    const text = formatLabels(metricTable[name].labels, labels)
    const key = `${name} ${text}`
    const known = this.histograms.get(key)
    if (known !== undefined) return known.cells
    const cells = new CellHistogram(...this.allot(name, text), metricTable[name].buckets, this.clock)
    this.histograms.set(key, { name, labels: text, cells })
    return cells
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
    // Of labels that are the same object each time the text is made once.
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

  /** What is not in the cells: what is watched, and exemplars if they are asked for. */
  read({ exemplars }: { readonly exemplars: boolean }): ThreadAnswer {
    const examples = [...(exemplars ? this.histograms.values() : [])].flatMap(({ name, labels, cells }) => {
      const buckets = cells.exemplars()
      return buckets === null ? [] : [{ name, labels, buckets }]
    })
    return {
      readings: [
        ...[...this.watched.values()].map((all) => all.at(-1)!()),
        ...[...this.watchedAll].flatMap((readings) => readings()),
      ],
      exemplars: examples,
    }
  }

  private allot(name: MetricName, labels: string): [cells: Float64Array, at: number] {
    const { buckets }: MetricEntry = metricTable[name]
    const count = cellCount(buckets)
    if (this.used + count > this.cells.length) {
      this.flush()
      this.cells = allocate(CELLS)
      this.used = 0
    }
    const at = this.used
    this.used += count
    if (this.places.length === 0) queueMicrotask(() => this.flush())
    this.places.push({ name, labels, at })
    return [this.cells, at]
  }

  private flush(): void {
    if (this.places.length === 0) return
    this.announce({ memory: this.cells.buffer, places: this.places })
    this.places = []
  }
}

function allocate(count: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT))
}
