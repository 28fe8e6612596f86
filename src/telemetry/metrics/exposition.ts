import { type MetricEntry, metricTable } from '../../core/metric-table.ts'
import type { Exemplar } from './cells.ts'
import type { Series, Totals } from './totals.ts'

/** The text format of Prometheus 0.0.4, and OpenMetrics 1.0.0. */
export type Format = 'prometheus' | 'openmetrics'

/** The media type of each format. */
export const contentTypes = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const satisfies Record<Format, string>

/** All metrics as a document, in table order, followed by those of custom policies; unused metrics are left out. */
export function writeMetrics(totals: Totals, format: Format): string {
  let text = ''
  const own = totals.own.map((metric): [string, MetricEntry] => [metric.name, metric])
  for (const [name, { type, help, buckets, exported = true }] of [
    ...Object.entries<MetricEntry>(metricTable),
    ...own,
  ]) {
    const all = totals.of(name)
    if (all.length === 0 || !exported) continue
    // In OpenMetrics, the suffix belongs to the samples of a counter and not to its name.
    const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name
    text += `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`
    for (const series of all) text += buckets === undefined ? sample(series) : histogram(series, buckets, format)
  }
  return format === 'openmetrics' ? `${text}# EOF\n` : text
}

function sample({ name, labels, cells }: Series): string {
  return `${name}${braced(labels)} ${cells[0]}\n`
}

function histogram({ name, labels, cells, exemplars }: Series, bounds: readonly number[], format: Format): string {
  const before = labels === '' ? '' : `${labels},`
  let text = ''
  let count = 0
  for (let i = 0; i <= bounds.length; i++) {
    count += cells[i] ?? 0
    const exemplar = format === 'openmetrics' ? (exemplars[i] ?? null) : null
    text += `${name}_bucket{${before}le="${bound(bounds[i], format)}"} ${count}${example(exemplar)}\n`
  }
  return `${text}${name}_sum${braced(labels)} ${cells[bounds.length + 1]}\n${name}_count${braced(labels)} ${count}\n`
}

/** OpenMetrics writes whole numbers with a fraction, as Prometheus does with numbers it has read (canonical numbers). */
function bound(seconds: number | undefined, format: Format): string {
  if (seconds === undefined) return '+Inf'
  return format === 'openmetrics' && Number.isInteger(seconds) ? `${seconds}.0` : String(seconds)
}

function example(exemplar: Exemplar | null): string {
  if (exemplar === null) return ''
  return ` # {trace_id="${exemplar.traceId}"} ${exemplar.seconds} ${exemplar.wall / 1000}`
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}
