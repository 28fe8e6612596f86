import type { LabelsOf, MetricNameOf } from './metric-table.ts'

/** A number that only rises. */
export interface Counter {
  add(amount: number): void
}

/** A number that says how it is now. */
export interface Mark {
  set(value: number): void
}

/** How long things took. */
export interface Histogram {
  /** Counts one that took so many seconds. */
  observe(seconds: number): void
  /** The same for one that ended then, in monotonic milliseconds, and whose trace is kept as an example of its bucket. */
  observeExample(seconds: number, traceId: string, end: number): void
}

/** Numbers that somebody holds: what nobody holds any more, nor has held for ten minutes, is no longer told. */
export interface HeldMetrics extends Pick<Metrics, 'counter' | 'histogram'> {
  /** To be called once; what is counted later may be lost. */
  release(): void
}

/**
 * Hands out the metrics of one thread, each bound to its labels: to be asked when the configuration loads, so that a
 * request only adds to a number. The same name and labels give the same numbers. Labels must be of bounded cardinality.
 */
export interface Metrics {
  counter<Name extends MetricNameOf<'counter'>>(name: Name, labels: LabelsOf<Name>): Counter
  histogram<Name extends MetricNameOf<'histogram'>>(name: Name, labels: LabelsOf<Name>): Histogram
  mark<Name extends MetricNameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>): Mark
  /**
   * For a number that somebody keeps already: `read` is called at each scrape, until the returned function is called.
   * Whoever watches the same name and labels later takes its place meanwhile.
   */
  watch<Name extends MetricNameOf<'counter' | 'gauge' | 'summary'>>(
    name: Name,
    labels: LabelsOf<Name>,
    read: () => number,
  ): () => void
  /**
   * The same where what there is changes, or where several have a part in it: `read` tells all of it at each scrape, and
   * what several tell of the same labels is added up. Labels that stay may be the same object each time, which is cheaper.
   */
  watchAll<Name extends MetricNameOf<'counter' | 'gauge' | 'summary'>>(
    name: Name,
    read: () => readonly { readonly labels: LabelsOf<Name>; readonly value: number }[],
  ): () => void
  /** For numbers whose labels come and go, such as those of instances: they are told for as long as somebody holds them. */
  hold(): HeldMetrics
}
