import type { Clock } from '../../../core/clock.ts'
import type { Metrics } from '../../../core/metrics.ts'
import { type TopicHandlers, defineTopic } from '../../../core/threads.ts'
import type { CacheUsage } from '../store.ts'
import { FlightBoard } from './flight-board.ts'
import { ReplyMemory } from './reply-memory.ts'
import { SharedReplies } from './shared-replies.ts'

/** The main thread as a holder of locks: no other thread has that number. */
const MAIN = 1

/** Which memory a thread wants to use, or does not use any more. */
export interface MemoryUse {
  /** Octets that it has in all. */
  readonly octets: number
  /** Number of the thread among those that answer requests: one that replaces another has the other's. */
  readonly worker: number
  /** Tells it from that one; greater than 0. */
  readonly thread: number
}

/** A memory, or null where it would be too small; or why there is none. */
export type OpenedMemory =
  | { readonly buffer: SharedArrayBuffer | null; readonly problem: null }
  | { readonly problem: string }

/** Asks the main thread for the memory of that size. */
export const openMemory = defineTopic<MemoryUse, OpenedMemory>('cache-memory-open')

/** Tells it that a thread does not use it any more. */
export const closeMemory = defineTopic<MemoryUse, null>('cache-memory-close')

interface Held {
  readonly memory: ReplyMemory | null
  /** How often each thread has it, by its number. */
  readonly threads: Map<number, number>
}

/** The memories for stored replies of a process, by their size: each is there for as long as a thread uses it. For the main thread. */
export class ReplyMemories {
  private readonly random: () => number
  private readonly held = new Map<number, Held>()
  /** Number among the workers -> number of the thread. */
  private readonly workers = new Map<number, number>()

  constructor(random: () => number) {
    this.random = random
  }

  /** Answers what other threads ask for. */
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

  /** Has what is stored read at each scrape. */
  watch(metrics: Metrics): void {
    const read = (of: (usage: CacheUsage) => number) => () => {
      const all = [...this.held.values()]
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

  /** The memory of that size; null where it would be too small. Throws an Error where there is not so much. */
  open({ octets, worker, thread }: MemoryUse, clock: Clock): SharedArrayBuffer | null {
    const former = this.workers.get(worker)
    this.workers.set(worker, thread)
    if (former !== undefined && former !== thread) this.bury(former, clock)
    const held = this.held.get(octets) ?? { memory: this.make(octets), threads: new Map<number, number>() }
    this.held.set(octets, held)
    held.threads.set(thread, (held.threads.get(thread) ?? 0) + 1)
    return held.memory?.buffer ?? null
  }

  /** The thread does not use the memory of that size any more. */
  close({ octets, thread }: MemoryUse): void {
    const held = this.held.get(octets)
    const times = held?.threads.get(thread)
    if (held === undefined || times === undefined) return
    if (times > 1) held.threads.set(thread, times - 1)
    else this.releaseSoon(octets, held, thread)
  }

  /** A thread has ended: it uses nothing any more, and nobody waits for what it was about. */
  private bury(thread: number, clock: Clock): void {
    for (const [octets, held] of this.held) {
      if (held.memory !== null) {
        if (held.memory.lock.isHeldBy(thread)) new SharedReplies(held.memory, clock).reset()
        new FlightBoard(held.memory, clock, MAIN).clear(thread)
      }
      this.releaseSoon(octets, held, thread)
    }
  }

  private releaseSoon(octets: number, { threads }: Held, thread: number): void {
    threads.delete(thread)
    if (threads.size === 0) this.held.delete(octets)
  }

  private make(octets: number): ReplyMemory | null {
    try {
      const buffer = ReplyMemory.create(octets, this.random)
      return buffer === null ? null : new ReplyMemory(buffer, MAIN)
    } catch (error) {
      throw new Error(
        `${octets} bytes of memory for stored replies are not available: lower memory of the policy cache`,
        {
          cause: error,
        },
      )
    }
  }
}
