import type { Clock } from '../../core/clock.ts'
import type { Metrics } from '../../core/metrics.ts'
import { type TopicHandlers, defineTopic, type Threads } from '../../core/threads.ts'
import { type Format, writeMetrics } from './exposition.ts'
import { CounterIncreases } from './counter-increases.ts'
import { FORGET, readingsTopic, type SeriesChange, ThreadMetrics } from './thread-metrics.ts'
import type { SeriesName } from './series.ts'
import { type Cells, Totals } from './totals.ts'

/** Asks the main thread for the document with the metrics of all threads. */
export const documentTopic = defineTopic<Format, string>('metrics')

/** One series as counted by one thread. */
interface CountedCells extends Cells {
  /** Whether the labels come and go. */
  readonly held: boolean
}

/** The series of one thread. */
class CountedSeries {
  private readonly byName = new Map<string, Map<string, CountedCells>>()

  of(name: string): Iterable<CountedCells> {
    return this.byName.get(name)?.values() ?? []
  }

  all(): CountedCells[] {
    return Array.from(this.byName.values(), (series) => [...series.values()]).flat()
  }

  has({ name, labels }: SeriesName): boolean {
    return this.byName.get(name)?.has(labels) === true
  }

  set(cells: CountedCells): void {
    const series = this.byName.get(cells.name) ?? new Map<string, CountedCells>()
    this.byName.set(cells.name, series)
    series.set(cells.labels, cells)
  }

  delete({ name, labels }: SeriesName): void {
    this.byName.get(name)?.delete(labels)
  }
}

/** Is notified of the series that threads count, for as long as it is registered. */
type Follower = Pick<CounterIncreases<never>, 'meet' | 'part' | 'partAll'>

/** The main thread's view of the metrics of all threads. */
export class MetricsHub {
  private readonly threads: Threads
  /** The series of each thread. */
  private readonly counted = new Map<object, CountedSeries>()
  /** The totals of threads that have ended, or of series that some threads have dropped and others have not: a counter never decreases. */
  private readonly retired = new Totals()
  private readonly clock: Clock
  private readonly followers = new Set<Follower>()
  /** Documents in progress: concurrent callers share the pending result. */
  private readonly making = new Map<Format, Promise<string>>()

  /** The metrics of the main thread itself. */
  readonly metrics: Metrics

  constructor(threads: Threads, answers: TopicHandlers, clock: Clock) {
    this.threads = threads
    this.clock = clock
    const metrics = new ThreadMetrics((series) => this.learn(this, series), clock)
    this.metrics = metrics
    answers.on(readingsTopic, (query) => metrics.read(query))
    answers.on(documentTopic, (format) => this.document(format))
  }

  /** `thread` has new series, or drops some. */
  learn(thread: object, change: SeriesChange): void {
    const known = this.counted.get(thread) ?? new CountedSeries()
    this.counted.set(thread, known)
    if ('forgotten' in change) {
      for (const { name, own, labels, last } of change.forgotten) {
        known.delete({ name, labels })
        for (const each of this.followers) each.part(thread, { name, labels })
        this.retired.add({ name, own, labels, cells: Float64Array.from(last), at: 0 })
      }
      return this.dropUncounted(change.forgotten)
    }
    const cells = new Float64Array(change.memory)
    for (const place of change.places) {
      const counted = { ...place, cells }
      known.set(counted)
      for (const each of this.followers) each.meet(thread, counted, 'zero')
    }
  }

  /** `thread` has ended. */
  retire(thread: object): void {
    const counted = this.counted.get(thread)?.all() ?? []
    this.counted.delete(thread)
    for (const each of this.followers) each.partAll(thread)
    for (const each of counted) this.retired.add(each)
    const held = counted.flatMap(({ name, labels, held: comesAndGoes }) => (comesAndGoes ? [{ name, labels }] : []))
    // The thread that replaces it may not have these series any more.
    if (held.length > 0) this.clock.after(FORGET, () => this.dropUncounted(held))
  }

  /** Drops those of the series that no thread counts; the others keep their totals. */
  private dropUncounted(series: readonly SeriesName[]): void {
    for (const each of series)
      if (![...this.counted.values()].some((known) => known.has(each))) this.retired.delete(each)
  }

  /** The current totals of those metrics over all threads. They are read from shared memory, without asking the threads. */
  totals(names: ReadonlySet<string>): Totals {
    const totals = new Totals()
    for (const name of names) {
      for (const each of this.retired.of(name)) totals.add(each)
      for (const known of this.counted.values()) for (const each of known.of(name)) totals.add(each)
    }
    return totals
  }

  /** The increases of those metrics from now on, each with its meaning. The result must be closed. */
  follow<Meaning>(names: ReadonlySet<string>, meaningOf: (series: SeriesName) => Meaning): CounterIncreases<Meaning> {
    const rises = new CounterIncreases(names, meaningOf, (closed) => this.followers.delete(closed))
    for (const [thread, known] of this.counted) for (const each of known.all()) rises.meet(thread, each, 'now')
    this.followers.add(rises)
    return rises
  }

  private document(format: Format): Promise<string> {
    const making = this.making.get(format) ?? this.make(format).finally(() => this.making.delete(format))
    this.making.set(format, making)
    return making
  }

  private async make(format: Format): Promise<string> {
    const answers = await this.threads.askAll(readingsTopic, { exemplars: format === 'openmetrics' })
    // Only now, because everything that a thread announced before its answer has arrived as well.
    const totals = new Totals()
    for (const each of this.retired.all()) totals.add(each)
    for (const known of this.counted.values()) for (const each of known.all()) totals.add(each)
    for (const { readings, exemplars } of answers) {
      for (const reading of readings) totals.addReading(reading)
      for (const each of exemplars) totals.illustrate(each)
    }
    return writeMetrics(totals, format)
  }
}
