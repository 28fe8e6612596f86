import { systemClock } from '../core/clock.ts'
import type { Answers } from '../core/threads.ts'
import { readingsTopic, ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { version } from './version.ts'

/** What the metrics of the whole process, which only the main thread tells, are read from. */
export interface ProcessSources {
  readonly answers: Answers
}

/** Has the main thread tell what is the same for all threads, beside what it may tell as one of them. */
export function gaugeProcess({ answers }: ProcessSources): void {
  const metrics = new ThreadMetrics(() => {}, systemClock)
  metrics.watch('sallyport_build_info', { version, node_version: process.versions.node }, () => 1)
  answers.on(readingsTopic, (asked) => metrics.read(asked))
}
