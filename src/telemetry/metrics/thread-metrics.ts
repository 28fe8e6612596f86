import type { Clock } from '../../core/clock.ts'
import {
  type LabelsOf,
  metricEntry,
  type MetricEntry,
  type MetricName,
  type MetricNameOf,
  type MetricOf,
  type OwnMetric,
} from '../../core/metric-table.ts'
import type { Logger } from '../../core/logger.ts'
import { isSameMetric } from '../../core/own-metric.ts'
import type { Counter, HeldMetrics, Histogram, Gauge, Metrics } from '../../core/metrics.ts'
import { defineTopic } from '../../core/threads.ts'
import { CellMemory, type CellPlace } from './cell-memory.ts'
import { cellCount, CellCounter, CellHistogram, type Exemplar } from './cells.ts'
import { formatLabels } from './labels.ts'
import {
  type Declared,
  type DeclaredSeries,
  entryOf,
  keyOf,
  MAX_OWN_SERIES,
  type SeriesName,
  seriesWith,
} from './series.ts'
import { type Reading, WatchedSeries } from './watched-series.ts'

/** How long released series are still exposed, in milliseconds, so that scrapes see their final values. */
export const FORGET = 10 * 60_000

/** The location of the numbers of one series. */
export interface SeriesPlace extends DeclaredSeries {
  readonly at: number
  /** Whether the labels come and go. */
  readonly held: boolean
}

/** A change of a thread's series: new ones, whose numbers it then updates without notice, or dropped ones. */
export type SeriesChange =
  | { readonly memory: SharedArrayBuffer; readonly places: readonly SeriesPlace[] }
  | { readonly forgotten: readonly (DeclaredSeries & { readonly last: readonly number[] })[] }

/** One series that this thread counts. */
interface Counted extends DeclaredSeries {
  readonly place: CellPlace
  readonly cells: CellCounter | CellHistogram
  /** The number of holders; Infinity if it is permanent. */
  holders: number
  /** Identifies the last release; null while there is a holder. */
  released: object | null
}

/** The exemplars of one histogram: null for a bucket without one. */
export interface Exemplars extends DeclaredSeries {
  readonly buckets: readonly (Exemplar | null)[]
}

/** Metrics of a configuration that may still be abandoned. */
export interface DraftMetrics extends Metrics {
  /** The configuration takes effect: what has been obtained stays. */
  keep(): void
  /** The configuration is abandoned: its declarations and watches end, and so do series that nothing else uses. */
  drop(): void
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
  /** Metrics of custom policies, by their names, with the number of series that are counted. */
  private readonly own = new Map<string, { readonly metric: OwnMetric; series: number }>()
  private readonly watched: WatchedSeries
  /** Cancels the pending removals. */
  private readonly waiting = new Set<() => void>()
  /** Not announced yet. */
  private fresh: (SeriesPlace & { readonly memory: SharedArrayBuffer })[] = []

  /** `announce` is called with new series before the thread does anything else. Without a log, there are no warnings. */
  constructor(announce: (change: SeriesChange) => void, clock: Clock, log: Pick<Logger, 'warn'> | null = null) {
    this.announce = announce
    this.clock = clock
    this.watched = new WatchedSeries(log)
  }

  counter<Metric extends MetricOf<'counter'>>(metric: Metric, labels: LabelsOf<Metric>): Counter {
    return forGood(this.counterOf(metric, labels, false)).cells
  }

  histogram<Metric extends MetricOf<'histogram'>>(metric: Metric, labels: LabelsOf<Metric>): Histogram {
    return forGood(this.histogramOf(metric, labels, false)).cells
  }

  gauge<Name extends MetricNameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>): Gauge {
    return forGood(this.counterOf(name, labels, false)).cells
  }

  hold(): HeldMetrics {
    const held = new Set<Counted>()
    return {
      counter: (metric, labels) => holdIn(held, this.counterOf(metric, labels, true)).cells,
      histogram: (metric, labels) => holdIn(held, this.histogramOf(metric, labels, true)).cells,
      release: () => this.release([...held]),
    }
  }

  /** Metrics for a configuration that is being prepared; `keep` or `drop` must follow. */
  draft(): DraftMetrics {
    const held = new Set<Counted>()
    const declared = new Set<string>()
    const watches = new Set<() => void>()
    let isKept = false
    const declare = <Metric extends MetricName | OwnMetric>(metric: Metric): Metric => {
      const declaration: MetricName | OwnMetric = metric
      if (!isKept && typeof declaration !== 'string' && !this.own.has(declaration.name)) declared.add(declaration.name)
      return metric
    }
    const keep = <Each extends Counted>(counted: Each): Each => (isKept ? forGood(counted) : holdIn(held, counted))
    const watch = (end: () => void): (() => void) => {
      if (!isKept) watches.add(end)
      return end
    }
    return {
      counter: (metric, labels) => keep(this.counterOf(declare(metric), labels, false)).cells,
      histogram: (metric, labels) => keep(this.histogramOf(declare(metric), labels, false)).cells,
      gauge: (name, labels) => keep(this.counterOf(name, labels, false)).cells,
      watch: (metric, labels, read) => watch(this.watch(declare(metric), labels, read)),
      watchAll: (metric, read) => watch(this.watchAll(declare(metric), read)),
      hold: () => {
        const metrics = this.hold()
        return {
          counter: (metric, labels) => metrics.counter(declare(metric), labels),
          histogram: (metric, labels) => metrics.histogram(declare(metric), labels),
          release: () => metrics.release(),
        }
      },
      keep: () => {
        isKept = true
        for (const counted of held) forGood(counted)
        for (const set of [held, declared, watches]) set.clear()
      },
      drop: () => {
        for (const end of watches) end()
        this.release([...held])
        this.undeclare(declared)
        for (const set of [held, declared, watches]) set.clear()
      },
    }
  }

  watch<Metric extends MetricOf<'counter' | 'gauge' | 'summary'>>(
    metric: Metric,
    labels: LabelsOf<Metric>,
    read: () => number,
  ): () => void {
    return this.watched.add(this.declared(metric), labels, read)
  }

  watchAll<Metric extends MetricOf<'counter' | 'gauge' | 'summary'>>(
    metric: Metric,
    read: () => readonly { readonly labels: LabelsOf<Metric>; readonly value: number }[],
  ): () => void {
    return this.watched.addAll(this.declared(metric), read)
  }

  /** The values that are not in the cells: watched values, and exemplars if requested. */
  read({ exemplars }: { readonly exemplars: boolean }): ThreadAnswer {
    const examples = [...(exemplars ? this.histograms.values() : [])].flatMap(({ name, own, labels, cells }) => {
      const buckets = cells.exemplars()
      return buckets === null ? [] : [{ name, own, labels, buckets }]
    })
    return {
      readings: this.watched.read(),
      exemplars: examples,
    }
  }

  /** What a series has counted so far, or how many observations; null if there is none with that key. */
  protected counted(key: string): number | null {
    return this.counters.get(key)?.cells.value ?? this.histograms.get(key)?.cells.total ?? null
  }

  private counterOf<Metric extends MetricOf<'counter' | 'gauge'>>(
    metric: Metric,
    labels: LabelsOf<Metric>,
    held: boolean,
  ): Counted & { readonly cells: CellCounter } {
    const series = this.seriesOf(metric, labels, this.counters)
    const key = keyOf(series)
    const known = this.counters.get(key)
    if (known !== undefined) return known
    const place = this.allot(series, held)
    const made = {
      ...series,
      place,
      cells: new CellCounter(place.cells, place.at),
      holders: 0,
      released: null,
    }
    this.counters.set(key, made)
    return made
  }

  private histogramOf<Metric extends MetricOf<'histogram'>>(
    metric: Metric,
    labels: LabelsOf<Metric>,
    held: boolean,
  ): Counted & { readonly cells: CellHistogram } {
    const series = this.seriesOf(metric, labels, this.histograms)
    const key = keyOf(series)
    const known = this.histograms.get(key)
    if (known !== undefined) return known
    const place = this.allot(series, held)
    const { buckets = [] } = entryOf(series)
    const cells = new CellHistogram(place.cells, place.at, buckets, this.clock)
    const made = { ...series, place, cells, holders: 0, released: null }
    this.histograms.set(key, made)
    return made
  }

  /** Throws an Error if a metric of that name is declared in another way. */
  private declared(metric: MetricName | OwnMetric): Declared {
    if (typeof metric === 'string') return { name: metric, own: null, entry: metricEntry(metric) }
    const { name } = metric
    const known = this.own.get(name)
    if (known === undefined) this.own.set(name, { metric, series: 0 })
    else if (!isSameMetric(known.metric, metric))
      throw new Error(
        `the metric ${name} was declared with another type, other labels or other buckets before; rename it, or restart the gateway`,
      )
    const own = known?.metric ?? metric
    return { name, own, entry: own }
  }

  /** The series with those labels, or the one for what is too much. Throws an Error if a metric of a custom policy has other labels. */
  private seriesOf<Metric extends MetricName | OwnMetric>(
    metric: Metric,
    labels: LabelsOf<Metric>,
    known: ReadonlyMap<string, Counted>,
  ): DeclaredSeries {
    const declared = this.declared(metric)
    const series = seriesWith(declared, labels)
    const count = this.own.get(series.name)
    if (count === undefined || known.has(keyOf(series))) return series
    if (count.series >= MAX_OWN_SERIES) return { ...series, labels: othersOf(declared.entry) }
    count.series += 1
    return series
  }

  private allot(series: DeclaredSeries, held: boolean): CellPlace {
    const { buckets } = entryOf(series)
    const place = this.memory.take(cellCount(buckets))
    if (this.fresh.length === 0) queueMicrotask(() => this.flush())
    this.fresh.push({ ...series, at: place.at, held, memory: place.cells.buffer })
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
          .map(({ name, own, labels, at, held }) => ({ name, own, labels, at, held })),
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
    const unheld = held.filter((counted) => --counted.holders === 0)
    if (unheld.length === 0) return
    for (const counted of unheld) counted.released = release
    this.later(() => this.forget(unheld.filter(({ released }) => released === release)))
  }

  /** Forgets those metrics of custom policies, unless something else has used them meanwhile. */
  private undeclare(names: ReadonlySet<string>): void {
    const isUndeclared = ({ name }: SeriesName): boolean => names.has(name)
    const all = (): Counted[] => [...this.counters.values(), ...this.histograms.values()].filter(isUndeclared)
    this.forget(all().filter(({ holders }) => holders === 0))
    const used = new Set(all().map(({ name }) => name))
    for (const name of names) if (!used.has(name)) this.own.delete(name)
  }

  private forget(removed: readonly Counted[]): void {
    if (removed.length === 0) return
    // New series are announced before their removal.
    this.flush()
    for (const counted of removed) {
      const key = keyOf(counted)
      counted.released = null
      this.counters.delete(key)
      this.histograms.delete(key)
      const own = this.own.get(counted.name)
      if (own !== undefined && counted.labels !== othersOf(own.metric)) own.series -= 1
      // A remaining holder, e.g. a request that has not ended, must not count towards other series.
      counted.cells.detach()
    }
    this.announce({
      forgotten: removed.map(({ name, own, labels, place: { cells, at, count } }) => ({
        name,
        own,
        labels,
        last: [...cells.subarray(at, at + count)],
      })),
    })
    // Not before the main thread has stopped reading this range.
    this.later(() => {
      for (const { place } of removed) this.memory.giveBack(place)
    })
  }
}

/** The labels of the series that counts what is too much. */
function othersOf({ labels }: MetricEntry): string {
  return formatLabels(labels, Object.fromEntries(labels.map((label) => [label, 'other'])))
}

function holdIn<Each extends Counted>(held: Set<Counted>, counted: Each): Each {
  if (held.has(counted)) return counted
  held.add(counted)
  counted.holders++
  counted.released = null
  return counted
}

function forGood<Each extends Counted>(counted: Each): Each {
  counted.holders = Number.POSITIVE_INFINITY
  counted.released = null
  return counted
}
