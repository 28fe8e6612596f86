import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Counter, Metrics } from '../core/metrics.ts'
import type { Answers } from '../core/threads.ts'
import { PurgeCalls } from './cdn/purge-calls.ts'
import { callCdnTopic } from './cdn/topics.ts'
import { answerThreads } from './idempotency/memory/answer-threads.ts'
import { ReplyMemories } from './cache/memory/reply-memories.ts'
import { MemoryRepeats } from './idempotency/memory/memory-repeats.ts'
import { SharedTable } from './rate-limit/memory/table.ts'
import { NearLimits } from './rate-limit/near-limits.ts'
import { watchEvictions } from './rate-limit/memory/watch-evictions.ts'

/** What another thread opens them with. */
export interface SharedMemory {
  readonly counts: SharedArrayBuffer
}

/** The memory of the main thread, which the others ask. */
export interface MainMemory {
  /** Takes so many octets of replies at most from now on. */
  resize(replies: number): void
  close(): void
}

/**
 * What policies keep once in a process: the counts of rate limits in memory that its threads share, stored
 * replies too, and in that of its main thread the replies that are repeated.
 */
export class ProcessStores {
  readonly counts: SharedTable
  /** Of this thread alone: names of clients near their limits. */
  readonly near = new NearLimits()

  /** Memory for stored replies; null where the main thread is asked for it. */
  readonly replies: ReplyMemories | null

  /** Opens those of another thread. */
  constructor({ counts }: SharedMemory, replies: ReplyMemories | null = null) {
    this.counts = new SharedTable(counts)
    this.replies = replies
  }

  /** Makes them, with room for so many counts. */
  static create(entries: number, random?: () => number): ProcessStores {
    const counts = SharedTable.create(entries, random).buffer
    return new ProcessStores({ counts }, new ReplyMemories(random ?? Math.random))
  }

  /** To be handed to other threads. */
  get memory(): SharedMemory {
    return { counts: this.counts.buffer }
  }

  /** Has what is the same for all threads read at each scrape: for the main thread alone, as readings are added up. */
  watch(metrics: Metrics): void {
    metrics.watch('sallyport_rate_limit_table_evictions_total', {}, () => this.counts.evictions)
    this.replies?.watch(metrics)
  }

  /** Gives threads that ask for it memory for stored replies: for the main thread alone. */
  giveMemory(answers: Answers, clock: Clock): void {
    this.replies?.answer(answers, clock)
  }

  /** Keeps replies, of so many octets at most, and answers what threads ask of them: for the main thread alone. */
  keepReplies(replies: number, answers: Answers, clock: Clock, metrics: Metrics | null = null): MainMemory {
    const repeats = new MemoryRepeats(clock, replies)
    answerThreads(answers, repeats)
    metrics?.watch('sallyport_idempotency_bytes', {}, () => repeats.usage.octets)
    metrics?.watch('sallyport_idempotency_keys', {}, () => repeats.usage.keys)
    metrics?.watch('sallyport_idempotency_evictions_total', { store: 'memory' }, () => repeats.evictions)
    return { resize: (octets) => repeats.resize(octets), close: repeats.sweep() }
  }

  /** Sends what threads have the CDN asked for: for the main thread alone. */
  callCdn(answers: Answers, clock: Clock, log: Logger, metrics: Metrics): { close(): void } {
    const counter = (outcome: string): Counter => metrics.counter('sallyport_cdn_purges_total', { outcome })
    const counts = { done: counter('done'), failed: counter('failed'), dropped: counter('dropped') }
    const calls = new PurgeCalls(clock, log, counts)
    answers.on(callCdnTopic, ({ id, calls: all }) => {
      for (const call of all) calls.add(id, call)
      return null
    })
    return calls
  }

  /** Warns where there is no room left, until the returned function is called: for one thread of the process. */
  warn(clock: Clock, log: Logger): () => void {
    return watchEvictions(this.counts, clock, log)
  }
}
