import { type Clock, systemClock } from '../core/clock.ts'
import { type LabelsOf, metricEntry, type MetricName, type OwnMetric } from '../core/metric-table.ts'
import type { Metrics } from '../core/metrics.ts'
import { formatLabels } from '../telemetry/metrics/labels.ts'
import { keyOf } from '../telemetry/metrics/series.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'

/** Metrics whose values a test can read. */
export interface FakeMetrics extends Metrics {
  /** The current value of a counter or a gauge, or the number of observations of a histogram; 0 if nobody has counted any. */
  value<Metric extends MetricName | OwnMetric>(metric: Metric, labels: LabelsOf<Metric>): number
}

/** Metrics for `tools` that are the test's own. */
export function fakeMetrics(clock: Clock = systemClock): FakeMetrics {
  return new ReadableMetrics(() => {}, clock)
}

class ReadableMetrics extends ThreadMetrics implements FakeMetrics {
  value<Metric extends MetricName | OwnMetric>(metric: Metric, labels: LabelsOf<Metric>): number {
    const declared: MetricName | OwnMetric = metric
    const [name, entry] = typeof declared === 'string' ? [declared, metricEntry(declared)] : [declared.name, declared]
    const key = keyOf({ name, labels: formatLabels(entry.labels, labels) })
    const watched = this.read({ exemplars: false }).readings.filter((reading) => keyOf(reading) === key)
    return this.counted(key) ?? watched.reduce((sum, { value }) => sum + value, 0)
  }
}
