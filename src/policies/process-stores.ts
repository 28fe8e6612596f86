import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Counter, Metrics } from '../core/metrics.ts'
import type { TopicHandlers } from '../core/threads.ts'
import { giveTurns, type Turns } from './auth/oidc/refresh-turns.ts'
import { PurgeCalls } from './cdn/purge-calls.ts'
import { callCdnTopic } from './cdn/topics.ts'
import { answerThreads } from './idempotency/memory/answer-threads.ts'
import { ReplyMemories } from './cache/memory/reply-memories.ts'
import { MemoryRepeats } from './idempotency/memory/memory-repeats.ts'
import { SharedTable } from './rate-limit/memory/table.ts'
import { NearLimits } from './rate-limit/near-limits.ts'
import { watchEvictions } from './rate-limit/memory/watch-evictions.ts'

/** What another thread needs to open the stores. */
export interface SharedMemory {
  readonly counts: SharedArrayBuffer
}

/** The memory of the main thread, which the other threads access by messages. */
export interface MainMemory {
  /** Sets the maximum number of bytes for replies. */
  resize(replies: number): void
  close(): void
}

/**
 * Stores that exist once per process: rate limit counts and cached replies in memory shared by its threads, and replies kept for
 * idempotency keys in the memory of the main thread.
 */
export class ProcessStores {
  readonly counts: SharedTable
  /** Clients near their limits, as seen by this thread only. */
  readonly near = new NearLimits()

  private turns: Turns | null = null

  /** Memory for cached replies; null if it has to be requested from the main thread. */
  readonly replies: ReplyMemories | null

  /** Opens the stores of another thread. */
  constructor({ counts }: SharedMemory, replies: ReplyMemories | null = null) {
    this.counts = new SharedTable(counts)
    this.replies = replies
  }

  /** Creates the stores, with room for `entries` counts. */
  static create(entries: number, random?: () => number): ProcessStores {
    const counts = SharedTable.create(entries, random).buffer
    return new ProcessStores({ counts }, new ReplyMemories(random ?? Math.random))
  }

  /** To be passed to other threads. */
  get memory(): SharedMemory {
    return { counts: this.counts.buffer }
  }

  /** Reports values common to all threads at each scrape. Only for the main thread, as readings are added up. */
  watch(metrics: Metrics): void {
    metrics.watch('sallyport_rate_limit_table_evictions_total', {}, () => this.counts.evictions)
    this.replies?.watch(metrics)
  }

  /** Provides memory for cached replies to threads that request it. Only for the main thread. */
  giveMemory(answers: TopicHandlers, clock: Clock): void {
    this.replies?.answer(answers, clock)
  }

  /** The thread with that ID, of that worker, has ended: releases what it held. Only for the main thread. */
  workerEnded(worker: number, thread: number, clock: Clock): void {
    this.replies?.workerEnded(worker, clock)
    this.turns?.threadEnded(thread)
  }

  /** A thread of that worker has begun to listen. Only for the main thread. */
  workerListens(worker: number): void {
    this.replies?.workerListens(worker)
  }

  /**
   * Keeps replies for idempotency keys, up to `replies` bytes, and answers the threads' questions about them. Only for the main
   * thread.
   */
  keepReplies(replies: number, answers: TopicHandlers, clock: Clock, metrics: Metrics | null = null): MainMemory {
    const repeats = new MemoryRepeats(clock, replies)
    answerThreads(answers, repeats)
    metrics?.watch('sallyport_idempotency_bytes', {}, () => repeats.usage.bytes)
    metrics?.watch('sallyport_idempotency_keys', {}, () => repeats.usage.keys)
    metrics?.watch('sallyport_idempotency_evictions_total', { store: 'memory' }, () => repeats.evictions)
    return { resize: (bytes) => repeats.resize(bytes), close: repeats.sweep() }
  }

  /** Sends the purge calls to the CDN that threads have requested. Only for the main thread. */
  callCdn(answers: TopicHandlers, clock: Clock, log: Logger, metrics: Metrics): { close(): void } {
    const counter = (outcome: string): Counter => metrics.counter('sallyport_cdn_purges_total', { outcome })
    const counts = { done: counter('done'), failed: counter('failed'), dropped: counter('dropped') }
    const calls = new PurgeCalls(clock, log, counts)
    answers.on(callCdnTopic, ({ id, calls: all }) => {
      for (const call of all) calls.add(id, call)
      return null
    })
    return calls
  }

  /** Lets one thread at a time refresh a session of a browser. Only for the main thread. */
  shareRefreshes(answers: TopicHandlers, clock: Clock): void {
    this.turns = giveTurns(answers, clock)
  }

  /** Warns when the table is full, until the returned function is called. Only for one thread of the process. */
  warn(clock: Clock, log: Logger): () => void {
    return watchEvictions(this.counts, clock, log)
  }
}
