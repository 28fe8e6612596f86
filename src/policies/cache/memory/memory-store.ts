import { setImmediate as turn } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import { Lru, type LruItem } from '../../../core/lru.ts'
import type { Counter } from '../../../core/metrics.ts'
import { HEAD_ROOM } from '../../../http/body.ts'
import type { Headers } from '../../../http/headers.ts'
import type { StoreTools } from '../../store-tools.ts'
import type { ReplyStore } from '../reply-store.ts'
import type { CacheAcceptance, CacheEntry, CacheStore, MakeCacheStore, Missing } from '../store.ts'
import { select } from '../vary.ts'
import { BodiesInUse } from './bodies-in-use.ts'
import { FlightTable } from './flight-table.ts'
import { closeMemory, openMemory, type OpenedMemory } from './reply-memories.ts'
import { ReplyMemory } from './reply-memory.ts'
import { type KeyEntries, SharedReplies } from './shared-replies.ts'

/** The part of the memory for copies in the threads, decoded and ready to be sent; for all threads together. */
const LOCAL = 1 / 8

/** Approximate memory of decoded entries of a key, and of each variant, in bytes. */
const KEY_OVERHEAD = 400
const VARIANT_OVERHEAD = 200

/** Bodies above this size, in bytes, are shared by concurrent replies. */
const LARGE = 14_000

/** Entries read lately that a thread remembers. */
const LATELY = 1_024

/** How often a lookup is repeated if the entries change meanwhile. */
const ATTEMPTS = 3

/** Keys that are copied at a time. */
const BATCH = 100

/** The entries of a key, with those that this thread has used already decoded. */
interface LocalEntries extends LruItem<LocalEntries>, KeyEntries {}

export interface MemoryStoreOptions {
  readonly clock: StoreTools['clock']
  /** Size of the thread's own copies, in bytes. */
  readonly localBytes: number
  /** Counts evicted entries. */
  readonly evictions: Counter
  /** Called when the store is no longer used. */
  readonly closed?: () => void
  /** Whether this thread does what has to be done once per process. */
  readonly isFirst?: boolean
}

/**
 * Stores entries in memory shared by the threads of the process. The thread keeps decoded copies of those that it used recently, and
 * uses them for as long as the version of their bucket has not changed.
 */
export class MemoryCacheStore implements CacheStore {
  flightTable: FlightTable | null = null
  private readonly options: MemoryStoreOptions
  private readonly local: Lru<LocalEntries>
  private readonly bodies = new BodiesInUse()
  /** Ids of entries that this thread has read lately, each in the slot of its low digits. */
  private readonly lately = new Float64Array(LATELY)
  /** Null until it has memory. */
  private replies: SharedReplies | null = null

  constructor(options: MemoryStoreOptions) {
    this.options = options
    this.local = new Lru(options.localBytes, () => {})
  }

  /** Provides the memory, as seen by the thread with that number. */
  use(buffer: SharedArrayBuffer, thread: number): void {
    const { clock } = this.options
    const memory = new ReplyMemory(buffer, thread)
    this.replies = new SharedReplies(memory, clock)
    this.flightTable = new FlightTable(memory, clock, thread)
  }

  get isWritable(): boolean {
    return this.replies !== null
  }

  accepts(): CacheAcceptance {
    return this.isWritable ? 'yes' : 'no'
  }

  maxBody(key: string, entry: CacheEntry): number {
    return this.replies?.maxBody(key, entry) ?? -1
  }

  /** The main thread reports for all threads. */
  usage(): null {
    return null
  }

  find(_url: string, key: string, request: Headers): CacheEntry | Missing {
    const { replies } = this
    if (replies === null) return 'uri-miss'
    const local = this.local.use(key)
    if (local !== undefined && replies.isCurrent(local)) {
      const variant = select(local.variants, request)
      if (variant === null) return 'vary-miss'
      if (variant.entry !== null) {
        replies.touch(local)
        return variant.entry
      }
    }
    return this.fetch(replies, key, request)
  }

  peek(_url: string, key: string, request: Headers): CacheEntry | Missing {
    const entries = this.replies?.lookUp(key) ?? null
    if (entries === null || entries.variants.length === 0) return 'uri-miss'
    const variant = select(entries.variants, request)
    return variant === null ? 'vary-miss' : (this.replies?.read(entries, variant) ?? 'uri-miss')
  }

  put(key: string, entry: CacheEntry, begun: number): boolean {
    const evicted = this.replies?.put(key, entry, begun) ?? null
    if (evicted !== null && evicted > 0) this.options.evictions.add(evicted)
    return evicted !== null
  }

  remove(key: string, entry: CacheEntry): void {
    void this.replies?.remove(key, entry)
  }

  invalidate(url: string): number | Promise<number> {
    return this.replies?.invalidate(url) ?? 0
  }

  invalidateGroup(group: string): number | Promise<number> {
    return this.replies?.invalidateGroup(group) ?? 0
  }

  invalidatePrefix(prefix: string): number | Promise<number> {
    return this.replies?.invalidatePrefix(prefix) ?? 0
  }

  /** Copies the entries of those routes in batches; one thread does this for all. */
  adopt(former: CacheStore, routes: ReadonlySet<string>): void {
    if (!(former instanceof MemoryCacheStore) || this.options.isFirst !== true) return
    const { replies } = this
    const from = former.replies
    if (replies !== null && from !== null) void this.copy(from, replies, routes)
  }

  close(): void {
    this.options.closed?.()
  }

  private async copy(from: SharedReplies, to: SharedReplies, routes: ReadonlySet<string>): Promise<void> {
    const begun = this.options.clock.now()
    const keys = (await from.keys()).filter((key) => routes.has(key.slice(0, key.indexOf(' '))))
    for (const [i, key] of keys.entries()) {
      if (i > 0 && i % BATCH === 0) await turn()
      this.adoptKey(from, to, key, begun)
    }
  }

  /** An entry that is already stored here is newer. */
  private adoptKey(from: SharedReplies, to: SharedReplies, key: string, begun: number): void {
    if (to.lookUp(key)?.variants.length !== 0) return
    const entries = from.lookUp(key)
    for (const variant of entries?.variants.toReversed() ?? []) {
      const entry = entries === null ? null : from.read(entries, variant)
      if (entry !== null) this.put(key, entry, begun)
    }
  }

  /** Looks in the shared memory. */
  private fetch(replies: SharedReplies, key: string, request: Headers): CacheEntry | Missing {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entries = this.entriesOf(replies, key)
      if (entries === null) return 'uri-miss'
      const variant = select(entries.variants, request)
      if (variant === null) return 'vary-miss'
      const entry = variant.entry ?? replies.read(entries, variant, this.bodies.get(variant.id))
      if (entry === null) continue
      replies.touch(entries)
      const { body } = entry
      if (body !== null && body.length > LARGE) this.bodies.add(variant.id, body)
      if (
        this.isRepeated(variant.id) &&
        this.keep({ ...entries, size: entries.size + entry.size + (body?.hasRoom === true ? HEAD_ROOM : 0) })
      )
        variant.entry = entry
      return entry
    }
    return 'uri-miss'
  }

  /**
   * Whether the entry was among those that this thread has read lately. An entry that is read once is not kept: the copies would push
   * one another out, after having lived long enough to be costly garbage.
   */
  private isRepeated(id: number): boolean {
    const slot = id % LATELY
    if (this.lately[slot] === id) return true
    this.lately[slot] = id
    return false
  }

  /** The current entries of a key; null if there are none. */
  private entriesOf(replies: SharedReplies, key: string): LocalEntries | null {
    const local = this.local.get(key)
    if (local !== undefined && replies.isCurrent(local)) return local
    if (local !== undefined) this.local.remove(local)
    const entries = replies.lookUp(key)
    if (entries === null || entries.variants.length === 0) return null
    const size = KEY_OVERHEAD + key.length + entries.variants.length * VARIANT_OVERHEAD
    return { ...entries, key, size, newer: null, older: null }
  }

  /** Keeps the decoded entries of a key in this thread; false if they are too large. */
  private keep(entries: LocalEntries): boolean {
    if (!this.local.hasRoomFor(entries.size)) return false
    const former = this.local.get(entries.key)
    if (former !== undefined) this.local.remove(former)
    this.local.add({ ...entries, newer: null, older: null })
    return true
  }
}

/** The store in memory shared by the threads of the process. */
export const memoryReplies = {
  name: 'memory',
  isShared: false,
  open({ process, allThreads, clock, threads, worker, opening }: StoreTools): MakeCacheStore {
    const thread = threadId + 1
    return (memory, evictions) => {
      const localBytes = Math.floor(memory * LOCAL)
      const use = { bytes: memory - localBytes, worker, thread }
      const { replies } = process
      const closed = (): void => {
        if (replies === null) void allThreads.askMain(closeMemory, use)
        else replies.close(use)
      }
      const options = { clock, localBytes: Math.floor(localBytes / threads), evictions, closed, isFirst: worker === 0 }
      const store = new MemoryCacheStore(options)
      const begin = (buffer: SharedArrayBuffer | null): void => {
        if (buffer !== null) store.use(buffer, thread)
      }
      if (replies === null)
        opening.push(allThreads.askMain(openMemory, use).then(([opened]) => begin(bufferOf(opened))))
      else begin(replies.open(use, clock))
      return store
    }
  },
} as const satisfies ReplyStore

function bufferOf(opened: OpenedMemory | undefined): SharedArrayBuffer | null {
  if (opened === undefined) throw new Error('The main thread has not provided the memory for stored replies: try again')
  if (opened.problem !== null) throw new Error(opened.problem)
  return opened.buffer
}
