import { metricEntry, type MetricEntry, type OwnMetric } from '../../core/metric-table.ts'
import { formatLabels } from './labels.ts'

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

/** The series with those labels. Throws an Error if a custom policy, which may run without a check of its types, has declared other ones. */
export function seriesWith({ name, own, entry }: Declared, labels: Readonly<Record<string, string>>): DeclaredSeries {
  if (own !== null) {
    const given = Object.keys(labels)
    if (given.length !== own.labels.length || !given.every((label) => own.labels.includes(label)))
      throw new Error(`the metric ${name} is declared with ${listOf(own.labels)}, not ${listOf(given)}`)
  }
  return { name, own, labels: formatLabels(entry.labels, labels) }
}

function listOf(labels: readonly string[]): string {
  return labels.length === 0 ? 'no labels' : `the labels ${labels.toSorted().join(', ')}`
}

/** A text that identifies one series. */
export function keyOf({ name, labels }: SeriesName): string {
  return `${name} ${labels}`
}
