import { type MetricEntry, type MetricName, metricTable } from '../../core/metric-table.ts'
import { cellCount, type Exemplar } from './cells.ts'
import type { Exemplars, Reading } from './thread-metrics.ts'

/** The numbers of one series, starting at `at`: a single one, or those of a `CellHistogram`. */
export interface Cells {
  readonly name: MetricName
  readonly labels: string
  readonly cells: Float64Array
  readonly at: number
}

/** One series, summed over the threads. */
export interface Series extends Cells {
  /** For a histogram, the latest exemplar of each bucket. */
  exemplars: readonly (Exemplar | null)[]
}

/** The summed metrics of several threads. */
export class Totals {
  private readonly byName = new Map<string, Map<string, Series>>()

  of(name: string): Series[] {
    return [...(this.byName.get(name)?.values() ?? [])]
  }

  all(): Series[] {
    return Array.from(this.byName.values(), (series) => [...series.values()]).flat()
  }

  add({ name, labels, cells, at }: Cells): void {
    const { combine = 'sum' }: MetricEntry = metricTable[name]
    const sum = this.series(name, labels).cells
    for (const [i, before] of sum.entries()) {
      const more = cells[at + i] ?? 0
      sum[i] = combine === 'most' ? Math.max(before, more) : before + more
    }
  }

  delete({ name, labels }: Pick<Cells, 'name' | 'labels'>): void {
    this.byName.get(name)?.delete(labels)
  }

  addReading({ name, labels, value }: Reading): void {
    const { combine = 'sum' }: MetricEntry = metricTable[name]
    const known = this.byName.get(name)?.get(labels)
    const { cells } = known ?? this.series(name, labels)
    cells[0] = combine === 'least' ? Math.min(value, known?.cells[0] ?? Infinity) : (cells[0] ?? 0) + value
  }

  /** Keeps the later exemplar of each bucket. */
  illustrate({ name, labels, buckets }: Exemplars): void {
    const series = this.series(name, labels)
    series.exemplars = buckets.map((exemplar, i) => {
      const other = series.exemplars[i] ?? null
      return exemplar === null || (other !== null && other.wall > exemplar.wall) ? other : exemplar
    })
  }

  private series(name: MetricName, labels: string): Series {
    const known = this.byName.get(name) ?? new Map<string, Series>()
    this.byName.set(name, known)
    const { buckets }: MetricEntry = metricTable[name]
    const series = known.get(labels) ?? {
      name,
      labels,
      cells: new Float64Array(cellCount(buckets)),
      at: 0,
      exemplars: [],
    }
    known.set(labels, series)
    return series
  }
}
