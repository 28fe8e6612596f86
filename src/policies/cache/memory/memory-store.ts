import { setImmediate as turn } from 'node:timers/promises'
import { threadId } from 'node:worker_threads'
import { Lru, type LruItem } from '../../../core/lru.ts'
import type { Counter } from '../../../core/metrics.ts'
import type { Headers } from '../../../http/headers.ts'
import type { StoreTools } from '../../store-tools.ts'
import type { ReplyStore } from '../reply-store.ts'
import type { CacheEntry, CacheStore, MakeCacheStore, Missing } from '../store.ts'
import { select } from '../vary.ts'
import { FlightBoard } from './flight-board.ts'
import { closeMemory, openMemory, type OpenedMemory } from './reply-memories.ts'
import { ReplyMemory } from './reply-memory.ts'
import { SentBodies } from './sent-bodies.ts'
import { type Shelf, SharedReplies } from './shared-replies.ts'

/** The part of the memory for what threads have at hand of it, in the form in which it goes out; all of them together. */
const AT_HAND = 1 / 8

/** What a shelf without entries takes, and a variant of it, in octets; about right. */
const SHELF = 400
const VARIANT = 200

/** Octets from which a body is large enough to be looked for among those that are just being sent. */
const LARGE = 14_000

/** How often a shelf is looked at that others change meanwhile. */
const ATTEMPTS = 3

/** Keys that are taken over at a time. */
const AT_ONCE = 100

/** A shelf with those of its entries that were used. */
interface KeptShelf extends LruItem<KeptShelf>, Shelf {}

export interface MemoryStoreOptions {
  readonly clock: StoreTools['clock']
  /** Octets of entries that are at hand. */
  readonly atHand: number
  /** Counts the entries that make room for others. */
  readonly evictions: Counter
  /** Called when it is not used any more. */
  readonly closed?: () => void
  /** It has to see to what is done once for the process. */
  readonly isFirst?: boolean
}

/**
 * Keeps entries in memory that the threads of the process have in common. What was used lately is at hand in the form in which it goes
 * out, and is used for as long as it is still the same there.
 */
export class MemoryCacheStore implements CacheStore {
  board: FlightBoard | null = null
  private readonly options: MemoryStoreOptions
  private readonly shelves: Lru<KeptShelf>
  private readonly bodies = new SentBodies()
  /** Null until it has its memory. */
  private replies: SharedReplies | null = null

  constructor(options: MemoryStoreOptions) {
    this.options = options
    this.shelves = new Lru(options.atHand, () => {})
  }

  /** Uses that memory from now on, as the thread with that number. */
  use(buffer: SharedArrayBuffer, thread: number): void {
    const { clock } = this.options
    const memory = new ReplyMemory(buffer, thread)
    this.replies = new SharedReplies(memory, clock)
    this.board = new FlightBoard(memory, clock, thread)
  }

  /** What it holds is the process's. */
  usage(): null {
    return null
  }

  find(_url: string, key: string, request: Headers): CacheEntry | Missing {
    const { replies } = this
    if (replies === null) return 'uri-miss'
    const kept = this.shelves.use(key)
    if (kept !== undefined && replies.isCurrent(kept)) {
      const variant = select(kept.variants, request)
      if (variant === null) return 'vary-miss'
      if (variant.entry !== null) {
        replies.touch(kept)
        return variant.entry
      }
    }
    return this.fetch(replies, key, request)
  }

  peek(_url: string, key: string, request: Headers): CacheEntry | Missing {
    const shelf = this.replies?.look(key) ?? null
    if (shelf === null || shelf.variants.length === 0) return 'uri-miss'
    const variant = select(shelf.variants, request)
    return variant === null ? 'vary-miss' : (this.replies?.read(shelf, variant) ?? 'uri-miss')
  }

  put(key: string, entry: CacheEntry, begun: number): void {
    const evicted = this.replies?.put(key, entry, begun) ?? 0
    if (evicted > 0) this.options.evictions.add(evicted)
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

  /** What another one has of those routes is put here some at a time, where one thread does that for all. */
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
      if (i > 0 && i % AT_ONCE === 0) await turn()
      this.adoptKey(from, to, key, begun)
    }
  }

  /** What is stored here already is newer. */
  private adoptKey(from: SharedReplies, to: SharedReplies, key: string, begun: number): void {
    if (to.look(key)?.variants.length !== 0) return
    const shelf = from.look(key)
    for (const variant of shelf?.variants.toReversed() ?? []) {
      const entry = shelf === null ? null : from.read(shelf, variant)
      if (entry !== null) this.put(key, entry, begun)
    }
  }

  /** Finds what is not at hand. */
  private fetch(replies: SharedReplies, key: string, request: Headers): CacheEntry | Missing {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const kept = this.shelfOf(replies, key)
      if (kept === null) return 'uri-miss'
      const variant = select(kept.variants, request)
      if (variant === null) return 'vary-miss'
      const entry = variant.entry ?? replies.read(kept, variant, this.bodies.get(variant.id))
      if (entry === null) continue
      replies.touch(kept)
      const { body } = entry
      if (body !== null && body.length > LARGE) this.bodies.add(variant.id, body)
      if (this.keep({ ...kept, size: kept.size + entry.size })) variant.entry = entry
      return entry
    }
    return 'uri-miss'
  }

  /** The shelf as it is now; null where there is nothing on it. */
  private shelfOf(replies: SharedReplies, key: string): KeptShelf | null {
    const kept = this.shelves.get(key)
    if (kept !== undefined && replies.isCurrent(kept)) return kept
    if (kept !== undefined) this.shelves.remove(kept)
    const shelf = replies.look(key)
    if (shelf === null || shelf.variants.length === 0) return null
    const size = SHELF + (key.length + shelf.variants.length * VARIANT)
    return { ...shelf, key, size, newer: null, older: null }
  }

  /** Has the shelf at hand, with what it takes now; false where it would take too much. */
  private keep(shelf: KeptShelf): boolean {
    if (!this.shelves.hasRoomFor(shelf.size)) return false
    const former = this.shelves.get(shelf.key)
    if (former !== undefined) this.shelves.remove(former)
    this.shelves.add({ ...shelf, newer: null, older: null })
    return true
  }
}

/** Replies in memory that the threads of the process have in common. */
export const memoryReplies = {
  name: 'memory',
  isShared: false,
  open({ process, asked, clock, threads, worker, opening }: StoreTools): MakeCacheStore {
    const thread = threadId + 1
    return (memory, evictions) => {
      const atHand = Math.floor(memory * AT_HAND)
      const use = { octets: memory - atHand, worker, thread }
      const { replies } = process
      const closed = (): void => {
        if (replies === null) void asked.askMain(closeMemory, use)
        else replies.close(use)
      }
      const options = { clock, atHand: Math.floor(atHand / threads), evictions, closed, isFirst: worker === 0 }
      const store = new MemoryCacheStore(options)
      const begin = (buffer: SharedArrayBuffer | null): void => {
        if (buffer !== null) store.use(buffer, thread)
      }
      if (replies === null) opening.push(asked.askMain(openMemory, use).then(([opened]) => begin(bufferOf(opened))))
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
