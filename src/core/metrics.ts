import type { LabelsOf, MetricNameOf, MetricOf } from './metric-table.ts'

/** A value that only increases. */
export interface Counter {
  add(amount: number): void
}

/** A current value (gauge). */
export interface Gauge {
  set(value: number): void
}

/** A distribution of durations. */
export interface Histogram {
  /** Records a duration in seconds. */
  observe(seconds: number): void
  /** Like `observe`, for a duration that ended at `end` (monotonic milliseconds) and whose trace is kept as the exemplar of its bucket. */
  observeExample(seconds: number, traceId: string, end: number): void
}

/** Metrics with a holder: series that have had no holder for ten minutes are no longer exported. */
export interface HeldMetrics extends Pick<Metrics, 'counter' | 'histogram'> {
  /** Call at most once; anything counted afterwards may be lost. */
  release(): void
}

/**
 * Hands out the metrics of one thread, each bound to its labels. Obtain them when the configuration is loaded, so that a request only
 * increments a number. The same name and labels always return the same metric. Label cardinality must be bounded; series of a user-defined
 * policy's metric beyond the first 200 of a thread are counted together, with "other" for every label. A metric is one of the gateway's by its
 * name, or one made by `defineMetric`. All methods throw an Error if another declaration of that name is in use.
 */
export interface Metrics {
  counter<Metric extends MetricOf<'counter'>>(metric: Metric, labels: LabelsOf<Metric>): Counter
  histogram<Metric extends MetricOf<'histogram'>>(metric: Metric, labels: LabelsOf<Metric>): Histogram
  gauge<Name extends MetricNameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>): Gauge
  /**
   * For a value that is already maintained elsewhere: `read` is called at each scrape until the returned function is called. A later
   * watcher of the same name and labels takes precedence in the meantime.
   */
  watch<Metric extends MetricOf<'counter' | 'gauge' | 'summary'>>(
    metric: Metric,
    labels: LabelsOf<Metric>,
    read: () => number,
  ): () => void
  /**
   * Like `watch`, for a changing set of series or several contributors: `read` reports all series at each scrape, and values with the same
   * labels are added up. It is cheaper to pass the same object for labels that do not change.
   */
  watchAll<Metric extends MetricOf<'counter' | 'gauge' | 'summary'>>(
    metric: Metric,
    read: () => readonly { readonly labels: LabelsOf<Metric>; readonly value: number }[],
  ): () => void
  /** For series whose labels come and go, such as those of instances: they are exported for as long as they have a holder. */
  hold(): HeldMetrics
}
