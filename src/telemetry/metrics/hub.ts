import type { Clock } from '../../core/clock.ts'
import type { Metrics } from '../../core/metrics.ts'
import { type Answers, defineTopic, type Threads } from '../../core/threads.ts'
import { type Format, writeMetrics } from './exposition.ts'
import { type NewSeries, readingsTopic, ThreadMetrics } from './thread-metrics.ts'
import { type Cells, Totals } from './totals.ts'

/** Asks the main thread for the document with the metrics of all threads. */
export const documentTopic = defineTopic<Format, string>('metrics')

/** The main thread's view of the metrics of all threads. */
export class MetricsHub {
  private readonly threads: Threads
  /** What each thread counts. */
  private readonly counted = new Map<object, Cells[]>()
  /** What threads that are gone have counted, in copies: no counter ever falls. */
  private retired: readonly Cells[] = []
  /** The documents that are being made: whoever asks meanwhile gets the same. */
  private readonly making = new Map<Format, Promise<string>>()

  /** What the main thread itself counts and tells. */
  readonly metrics: Metrics

  constructor(threads: Threads, answers: Answers, clock: Clock) {
    this.threads = threads
    const metrics = new ThreadMetrics((series) => this.learn(this, series), clock)
    this.metrics = metrics
    answers.on(readingsTopic, (asked) => metrics.read(asked))
    answers.on(documentTopic, (format) => this.document(format))
  }

  /** `thread` has new series. */
  learn(thread: object, { memory, places }: NewSeries): void {
    const cells = new Float64Array(memory)
    const known = this.counted.get(thread) ?? []
    this.counted.set(thread, known)
    for (const place of places) known.push({ ...place, cells })
  }

  /** `thread` counts no more. */
  retire(thread: object): void {
    const totals = new Totals()
    for (const each of this.retired) totals.add(each)
    for (const each of this.counted.get(thread) ?? []) totals.add(each)
    this.retired = totals.all()
    this.counted.delete(thread)
  }

  private document(format: Format): Promise<string> {
    const making = this.making.get(format) ?? this.make(format).finally(() => this.making.delete(format))
    this.making.set(format, making)
    return making
  }

  private async make(format: Format): Promise<string> {
    const answers = await this.threads.askAll(readingsTopic, { exemplars: format === 'openmetrics' })
    // Only now, as what a thread had announced before it answered has arrived as well.
    const totals = new Totals()
    for (const each of this.retired) totals.add(each)
    for (const cells of this.counted.values()) for (const each of cells) totals.add(each)
    for (const { readings, exemplars } of answers) {
      for (const reading of readings) totals.addReading(reading)
      for (const each of exemplars) totals.illustrate(each)
    }
    return writeMetrics(totals, format)
  }
}
