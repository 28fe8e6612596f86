import type { OwnMetric } from '../../core/metric-table.ts'
import { cellCount, type Exemplar } from './cells.ts'
import { type DeclaredSeries, entryOf, type SeriesName } from './series.ts'
import type { Exemplars } from './thread-metrics.ts'
import type { Reading } from './watched-series.ts'

/** The numbers of one series, starting at `at`: a single one, or those of a `CellHistogram`. */
export interface Cells extends DeclaredSeries {
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

  /** The metrics of custom policies, by their names. */
  get own(): OwnMetric[] {
    const known = Array.from(this.byName.values(), (series) => series.values().next().value?.own ?? null)
    return known.filter((own) => own !== null).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  add(counted: Cells): void {
    const { cells, at } = counted
    const { combine = 'sum' } = entryOf(counted)
    const sum = this.series(counted).cells
    for (const [i, before] of sum.entries()) {
      const more = cells[at + i] ?? 0
      sum[i] = combine === 'most' ? Math.max(before, more) : before + more
    }
  }

  delete({ name, labels }: SeriesName): void {
    this.byName.get(name)?.delete(labels)
  }

  addReading(reading: Reading): void {
    const { name, labels, value } = reading
    const { combine = 'sum' } = entryOf(reading)
    const known = this.byName.get(name)?.get(labels)
    const { cells } = known ?? this.series(reading)
    cells[0] = combine === 'least' ? Math.min(value, known?.cells[0] ?? Infinity) : (cells[0] ?? 0) + value
  }

  /** Keeps the later exemplar of each bucket. */
  illustrate(examples: Exemplars): void {
    const series = this.series(examples)
    series.exemplars = examples.buckets.map((exemplar, i) => {
      const other = series.exemplars[i] ?? null
      return exemplar === null || (other !== null && other.wall > exemplar.wall) ? other : exemplar
    })
  }

  private series(counted: DeclaredSeries): Series {
    const { name, own, labels } = counted
    const known = this.byName.get(name) ?? new Map<string, Series>()
    this.byName.set(name, known)
    const { buckets } = entryOf(counted)
    const series = known.get(labels) ?? {
      name,
      own,
      labels,
      cells: new Float64Array(cellCount(buckets)),
      at: 0,
      exemplars: [],
    }
    known.set(labels, series)
    return series
  }
}
