import type { Clock } from '../../../core/clock.ts'
import type { Metrics } from '../../../core/metrics.ts'
import { type TopicHandlers, defineTopic } from '../../../core/threads.ts'
import type { CacheUsage } from '../store.ts'
import { FlightTable } from './flight-table.ts'
import { ReplyMemory } from './reply-memory.ts'
import { SharedReplies } from './shared-replies.ts'

/** The number of the main thread as an owner of locks. */
const MAIN = 1

/** The memory that a thread starts or stops using. */
export interface MemoryUse {
  /** Total size in bytes. */
  readonly bytes: number
  /** Number of the worker: a thread that replaces another one has the same. */
  readonly worker: number
  /** Number of the thread, above 0: no other one ever has the same. */
  readonly thread: number
}

/** The memory, null if it would be too small; or why there is none. */
export type OpenedMemory =
  | { readonly buffer: SharedArrayBuffer | null; readonly problem: null }
  | { readonly problem: string }

/** Requests the memory of that size from the main thread. */
export const openMemory = defineTopic<MemoryUse, OpenedMemory>('cache-memory-open')

/** Tells the main thread that the thread no longer uses it. */
export const closeMemory = defineTopic<MemoryUse, null>('cache-memory-close')

interface Region {
  readonly memory: ReplyMemory | null
  /** How often each thread uses it, by the number of the thread. */
  readonly threads: Map<number, number>
}

/** The memories for stored replies of the process, by size; each is kept as long as a thread uses it. For the main thread. */
export class ReplyMemories {
  private readonly random: () => number
  private readonly regions = new Map<number, Region>()
  /** Number of the worker -> number of its thread. */
  private readonly workers = new Map<number, number>()
  /** Number of the worker -> number of its thread that has ended, until the worker listens again. */
  private readonly ended = new Map<number, number>()

  constructor(random: () => number) {
    this.random = random
  }

  /** Answers the requests of other threads. */
  answer(answers: TopicHandlers, clock: Clock): void {
    answers.on(openMemory, (use) => {
      try {
        return { buffer: this.open(use, clock), problem: null }
      } catch (error) {
        return { problem: error instanceof Error ? error.message : String(error) }
      }
    })
    answers.on(closeMemory, (use) => {
      this.close(use)
      return null
    })
  }

  /** Reports what is stored at each scrape. */
  watch(metrics: Metrics): void {
    const read = (of: (usage: CacheUsage) => number) => () => {
      const all = [...this.regions.values()]
      const sum = all.reduce((so, { memory }) => so + (memory === null ? 0 : of(memory.usage)), 0)
      return all.length === 0 ? [] : [{ labels: { store: 'memory' }, value: sum }]
    }
    metrics.watchAll(
      'sallyport_cache_bytes',
      read(({ bytes }) => bytes),
    )
    metrics.watchAll(
      'sallyport_cache_entries',
      read(({ entries }) => entries),
    )
  }

  /** The memory of that size; null if it would be too small. Throws an Error if it cannot be allocated. */
  open({ bytes, worker, thread }: MemoryUse, clock: Clock): SharedArrayBuffer | null {
    const region = this.regions.get(bytes) ?? { memory: this.make(bytes), threads: new Map<number, number>() }
    this.regions.set(bytes, region)
    region.threads.set(thread, (region.threads.get(thread) ?? 0) + 1)
    if (this.workers.get(worker) !== thread) this.workerEnded(worker, clock)
    this.workers.set(worker, thread)
    return region.memory?.buffer ?? null
  }

  /** The thread of a worker has ended: releases the locks that it held, and ends its flights. Its memories remain for the next one. */
  workerEnded(worker: number, clock: Clock): void {
    const thread = this.workers.get(worker)
    if (thread === undefined) return
    this.workers.delete(worker)
    for (const { memory } of this.regions.values()) {
      if (memory === null) continue
      if (memory.lock.isHeldBy(thread)) new SharedReplies(memory, clock).reset()
      new FlightTable(memory, clock, MAIN).clear(thread)
    }
    // A thread that ended before it listened leaves nothing that the one before it did not.
    if (this.ended.has(worker)) this.releaseAll(thread)
    else this.ended.set(worker, thread)
  }

  /** A thread of the worker has begun to listen: what it uses of an ended one it has opened by now. */
  workerListens(worker: number): void {
    const thread = this.ended.get(worker)
    if (thread === undefined) return
    this.ended.delete(worker)
    this.releaseAll(thread)
  }

  /** The thread no longer uses the memory of that size. */
  close({ bytes, thread }: MemoryUse): void {
    const region = this.regions.get(bytes)
    const times = region?.threads.get(thread)
    if (region === undefined || times === undefined) return
    if (times > 1) region.threads.set(thread, times - 1)
    else this.release(bytes, region, thread)
  }

  private releaseAll(thread: number): void {
    for (const [bytes, region] of this.regions) this.release(bytes, region, thread)
  }

  private release(bytes: number, { threads }: Region, thread: number): void {
    threads.delete(thread)
    if (threads.size === 0) this.regions.delete(bytes)
  }

  private make(bytes: number): ReplyMemory | null {
    try {
      const buffer = ReplyMemory.create(bytes, this.random)
      return buffer === null ? null : new ReplyMemory(buffer, MAIN)
    } catch (error) {
      throw new Error(
        `${bytes} bytes of memory for stored replies are not available: lower memory of the policy cache`,
        {
          cause: error,
        },
      )
    }
  }
}
