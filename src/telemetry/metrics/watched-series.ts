import type { Logger } from '../../core/logger.ts'
import { formatLabels } from './labels.ts'
import { type Declared, type DeclaredSeries, MAX_OWN_SERIES, seriesWith } from './series.ts'

/** A number that is read at the time of a scrape. */
export interface Reading extends DeclaredSeries {
  readonly value: number
}

type Labels = Readonly<Record<string, string>>

/** Maximum number of watches of one metric of a custom policy; beyond that the oldest one ends, as policies may never end theirs. */
const MAX_OWN_WATCHES = 5 * MAX_OWN_SERIES

/** A watch of one series. */
interface Watch {
  readonly series: DeclaredSeries
  readonly read: () => number
}

/** Series whose values are read at each scrape. */
export class WatchedSeries {
  private readonly log: Pick<Logger, 'warn'> | null
  /** By the name of the metric, in order. */
  private readonly single = new Map<string, Set<Watch>>()
  private readonly lists = new Map<string, Set<() => readonly Reading[]>>()
  /** The names of metrics of custom policies with too many series, which has been logged. */
  private readonly exceeded = new Set<string>()

  constructor(log: Pick<Logger, 'warn'> | null) {
    this.log = log
  }

  /** Watches one series until the returned function is called. */
  add(declared: Declared, labels: Labels, read: () => number): () => void {
    const series = seriesWith(declared, labels)
    return addTo(this.single, series, { series, read })
  }

  /** Watches all series that `read` lists, until the returned function is called. */
  addAll(
    { name, own, entry }: Declared,
    read: () => readonly { readonly labels: Labels; readonly value: number }[],
  ): () => void {
    // The text of labels that are the same object each time is made only once.
    const texts = new WeakMap<Labels, string>()
    const textOf = (labels: Labels): string => {
      const known = texts.get(labels)
      if (known !== undefined) return known
      const text = formatLabels(entry.labels, labels)
      texts.set(labels, text)
      return text
    }
    const readings = (): Reading[] =>
      read()
        // One more than are reported, so that it is noticed.
        .slice(0, own === null ? undefined : MAX_OWN_SERIES + 1)
        .map(({ labels, value }) => ({ name, own, labels: textOf(labels), value }))
    return addTo(this.lists, { name, own }, readings)
  }

  /** The current values, without those that are too many for a metric of a custom policy. */
  read(): Reading[] {
    const all = [
      ...[...this.single.values()].flatMap(readLatest),
      ...[...this.lists.values()].flatMap((lists) => [...lists].flatMap((readings) => readings())),
    ]
    const seen = new Map<string, Set<string>>()
    return all.filter(({ name, own, labels }) => {
      if (own === null) return true
      const series = seen.get(name) ?? new Set()
      seen.set(name, series)
      const isWithin = series.has(labels) || series.size < MAX_OWN_SERIES
      if (isWithin) series.add(labels)
      else this.warnOf(name)
      return isWithin
    })
  }

  private warnOf(name: string): void {
    if (this.exceeded.has(name)) return
    this.exceeded.add(name)
    this.log?.warn(
      { metric: name, limit: MAX_OWN_SERIES },
      'A metric of a policy is watched for too many series: only the first ones, up to the limit, are exported',
    )
  }
}

/** Adds a watch; returns what ends it. */
function addTo<Each>(
  all: Map<string, Set<Each>>,
  { name, own }: Pick<DeclaredSeries, 'name' | 'own'>,
  watch: Each,
): () => void {
  const watches = all.get(name) ?? new Set()
  all.set(name, watches)
  watches.add(watch)
  const [oldest = watch] = watches
  if (own !== null && watches.size > MAX_OWN_WATCHES) watches.delete(oldest)
  return () => {
    if (watches.delete(watch) && watches.size === 0) all.delete(name)
  }
}

/** If a series is watched several times, the latest watch is read. */
function readLatest(watches: ReadonlySet<Watch>): Reading[] {
  const latest = new Map(Array.from(watches, (watch) => [watch.series.labels, watch]))
  return Array.from(latest.values(), ({ series, read }) => ({ ...series, value: read() }))
}
