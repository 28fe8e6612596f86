import { metricEntry, type MetricEntry, type OwnMetric } from '../../core/metric-table.ts'

/** The most series that a thread counts of one metric of a custom policy, besides one for all others, and the most that are watched. */
export const MAX_OWN_SERIES = 200

/** One metric with its labels. */
export interface SeriesName {
  readonly name: string
  readonly labels: string
}

/** One metric with its labels, and how it was declared if a custom policy did so. */
export interface DeclaredSeries extends SeriesName {
  readonly own: OwnMetric | null
}

/** A metric with its declaration, which is `own` or in the table. */
export interface Declared {
  readonly name: string
  readonly own: OwnMetric | null
  readonly entry: MetricEntry
}

/** How a metric was declared. */
export function entryOf({ name, own }: Pick<DeclaredSeries, 'name' | 'own'>): MetricEntry {
  return own ?? metricEntry(name)
}

/** A text that identifies one series. */
export function keyOf({ name, labels }: SeriesName): string {
  return `${name} ${labels}`
}
