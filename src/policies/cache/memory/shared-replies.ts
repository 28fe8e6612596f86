import { setImmediate as turn } from 'node:timers/promises'
import type { Bytes } from '../../../http/body.ts'
import type { Clock } from '../../../core/clock.ts'
import { pause } from '../../../core/clock.ts'
import type { CacheEntry } from '../store.ts'
import { isSameVariant } from '../vary.ts'
import { Chains } from './chains.ts'
import { draftOf, type Draft, KEY_NODE, writeEntry } from './entry-layout.ts'
import { EntryReader, type Found } from './entry-reader.ts'
import { hashText } from './hash-text.ts'
import { InvalidationTimes } from './invalidation-times.ts'
import { BUCKET_WORDS, ENTRIES, HEAD, LIVE, SEED, SERIAL, TAIL, UNIT, USED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'
import { Ring, type RingUser } from './ring.ts'
import { groupTag, TagIndex, urlTag } from './tag-index.ts'

/** Maximum number of variants of a key; the oldest one is dropped for another. */
const VARIANTS = 64

/** Offsets of the words of a bucket after its first node. */
const VERSION = 1
const TOUCHED = 2

/** How often a lookup is repeated if the bucket changes meanwhile. */
const ATTEMPTS = 4
/** Maximum number of nodes read in a chain: only a chain that is being changed can seem to have more. */
const STEPS = 1_024

/** Buckets that are scanned at a time with the lock held. */
const BATCH = 4_096
/** Batches of keys that are read in one turn of the event loop. */
const BATCHES = 32

/** How long a thread blocks for the lock, in milliseconds. */
const LOCK_TIMEOUT = 20
/** Milliseconds between two attempts to acquire the lock without blocking. */
const RETRY = 5

/** While less of the ring than this is live, unused entries are moved rather than evicted: dead ones make room. */
const SPARSE = 3 / 4

/** The entries of a key, the newest first, valid as long as its bucket has that version. */
export interface KeyEntries {
  readonly bucket: number
  readonly version: number
  readonly variants: readonly Found[]
}

/**
 * Stored replies in memory shared by all threads.
 *
 * - An entry is found by its key through a bucket, which has a version. A writer increments the version before and after it changes or
 *   moves an entry of the bucket. A reader compares the version before and after; if it is the same even number, what it has read is
 *   consistent. So readers never wait for writers.
 * - One thread at a time writes.
 * - Entries that were not used since they were written, or last moved, are evicted to make room.
 * - The times of invalidations are recorded, so that a reply requested before is not stored afterwards.
 */
export class SharedReplies implements RingUser {
  private readonly memory: ReplyMemory
  private readonly clock: Clock
  private readonly chains: Chains
  private readonly tags: TagIndex
  private readonly invalidations: InvalidationTimes
  private readonly ring: Ring
  private readonly reader: EntryReader
  private readonly seed: number
  /** The latest key that was looked up or written, as UTF-8. */
  private keyBytes = Buffer.allocUnsafeSlow(1_024)
  /** Entries evicted by the `put` in progress. */
  private evicted = 0

  constructor(memory: ReplyMemory, clock: Clock) {
    this.memory = memory
    this.clock = clock
    this.chains = new Chains(memory.words)
    this.tags = new TagIndex(memory, this.chains)
    this.invalidations = new InvalidationTimes(memory, clock)
    this.ring = new Ring(memory, this)
    this.reader = new EntryReader(memory)
    this.seed = memory.word(SEED)
  }

  /** Size of the largest body, in bytes, that is stored with that entry, which has none yet; negative if not even the entry is. */
  maxBody(key: string, entry: CacheEntry): number {
    const { units } = draftOf(entry, Buffer.byteLength(key))
    return (this.maxUnits - units) * UNIT
  }

  /** Size of the largest entry that is stored, in units. */
  private get maxUnits(): number {
    return Math.floor(this.memory.layout.units / 8)
  }

  /** The entries of a key; null if the bucket changed during every attempt. */
  lookUp(key: string): KeyEntries | null {
    const { words } = this.memory
    const hash = hashText(key, this.seed)
    const bucket = this.memory.bucketOf(hash)
    const length = this.writeKey(key)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = Atomics.load(words, bucket + VERSION)
      if (version % 2 !== 0) continue
      const variants = this.entriesOf(bucket, hash, length).map((at) => this.reader.find(at))
      const entries = { bucket, version, variants }
      if (this.isStill(entries)) return entries
    }
    return null
  }

  /** The whole entry; null if its bucket has changed. `known` is its body if the thread already has a copy. */
  read(entries: KeyEntries, { at }: Found, known?: Bytes): CacheEntry | null {
    const entry = this.reader.read(at, known)
    return this.isStill(entries) ? entry : null
  }

  /** Whether the bucket is unchanged. */
  isCurrent({ bucket, version }: KeyEntries): boolean {
    return Atomics.load(this.memory.words, bucket + VERSION) === version
  }

  /** Marks the bucket as recently used. */
  touch({ bucket }: KeyEntries): void {
    const { words } = this.memory
    if (words[bucket + TOUCHED] === 0) words[bucket + TOUCHED] = 1
  }

  /**
   * Stores an entry instead of the one for the same requests. Returns how many others were evicted, or null if it is not stored: it was
   * invalidated after `begun`, is larger than an eighth of the ring, or the lock is not free in time.
   */
  put(key: string, entry: CacheEntry, begun: number): number | null {
    const { memory } = this
    const draft = draftOf(entry, this.writeKey(key))
    if (draft.units > this.maxUnits || !memory.lock.acquire(LOCK_TIMEOUT)) return null
    return this.writing(() => {
      if (this.invalidations.areAfter(begun, entry)) return null
      this.evicted = 0
      this.write(key, draft)
      return this.evicted
    })
  }

  /** Removes the entry of a key for the same requests with the same time of birth. */
  remove(key: string, entry: CacheEntry): Promise<number> | number {
    return this.exclusively(() => {
      const hash = hashText(key, this.seed)
      const all = this.entriesOf(this.memory.bucketOf(hash), hash, this.writeKey(key))
      const same = all.filter((at) => this.reader.born(at) === entry.born && isSameVariant(this.reader.find(at), entry))
      return this.dropAll(same)
    })
  }

  /** Removes all entries of a URL, and of the groups of these entries. Returns how many there were. */
  invalidate(url: string): Promise<number> | number {
    return this.exclusively(() => {
      const all = this.tags.find(urlTag(url)).filter((at) => this.reader.url(at) === url)
      const groups = new Set(all.flatMap((at) => this.reader.groups(at)))
      this.invalidations.record(urlTag(url))
      const count = this.dropAll(all)
      return [...groups].reduce((sum, group) => sum + this.dropGroup(group), count)
    })
  }

  /** Removes all entries of a group. Returns how many there were. */
  invalidateGroup(group: string): Promise<number> | number {
    return this.exclusively(() => this.dropGroup(group))
  }

  /** Removes all entries whose URL begins with the prefix. Returns how many there were. */
  invalidatePrefix(prefix: string): Promise<number> | number {
    const dropFrom = (bucket: number): number =>
      this.dropAll(this.entriesFrom(bucket).filter((at) => this.reader.url(at).startsWith(prefix)))
    const first = this.exclusively(() => {
      this.invalidations.recordPrefix()
      return dropFrom(0)
    })
    return this.memory.layout.bucketMask < BATCH ? first : this.dropRest(first, dropFrom)
  }

  /** All keys, those of the oldest entries first. The lock is held for one batch of buckets at a time. */
  async keys(): Promise<readonly string[]> {
    const ids = new Map<string, number>()
    for (let bucket = 0; bucket <= this.memory.layout.bucketMask; bucket += BATCH) {
      if (bucket > 0 && bucket % (BATCH * BATCHES) === 0) await turn()
      const scanned = this.exclusively(() => {
        for (const at of this.entriesFrom(bucket)) ids.set(this.reader.key(at).toString(), this.reader.id(at))
      })
      if (scanned instanceof Promise) await scanned
    }
    return Array.from(ids)
      .toSorted(([, one], [, other]) => one - other)
      .map(([key]) => key)
  }

  /** Removes everything, whatever state a thread that ended with the lock has left it in, and releases the lock. */
  reset(): void {
    const { memory } = this
    const { words, layout } = memory
    for (let i = 0; i <= layout.bucketMask; i++) {
      const bucket = layout.buckets + i * BUCKET_WORDS
      const isChanging = Atomics.load(words, bucket + VERSION) % 2 !== 0
      if (!isChanging) Atomics.add(words, bucket + VERSION, 1)
      words[bucket] = 0
      Atomics.add(words, bucket + VERSION, 1)
    }
    this.tags.clear()
    for (const each of [HEAD, TAIL, USED, LIVE, ENTRIES]) words[each] = 0
    memory.lock.release()
  }

  isWanted(at: number): boolean {
    const { memory } = this
    const bucket = this.bucketOf(at)
    const isSparse = memory.word(LIVE) < memory.layout.units * SPARSE
    if (memory.word(bucket + TOUCHED) === 0) return isSparse
    memory.words[bucket + TOUCHED] = 0
    return true
  }

  move(at: number, to: number, move: () => void): void {
    this.tags.remove(at)
    const bucket = this.bucketOf(at)
    this.change(bucket, () => {
      move()
      this.chains.relink(bucket, to + KEY_NODE, to)
    })
    this.tags.addAgain(to)
  }

  evict(at: number): void {
    this.evicted++
    this.drop(at)
  }

  /** Whether everything read since the version was read is consistent. */
  private isStill({ bucket, version }: KeyEntries): boolean {
    // An atomic read-modify-write, because the processor may execute a plain load before the loads that precede it.
    return Atomics.add(this.memory.words, bucket + VERSION, 0) === version
  }

  private writeKey(key: string): number {
    if (this.keyBytes.length < key.length * 3) this.keyBytes = Buffer.allocUnsafeSlow(key.length * 6)
    return this.keyBytes.write(key)
  }

  /** The entries with the key in `keyBytes`, the newest first. */
  private entriesOf(bucket: number, hash: number, length: number): number[] {
    const { chains, reader, keyBytes } = this
    const all: number[] = []
    let node = chains.first(bucket)
    for (let i = 0; i < STEPS && reader.isPlace(node - KEY_NODE); i++) {
      const at = node - KEY_NODE
      if (chains.hash(node) === hash && reader.hasKey(at, keyBytes, length)) all.push(at)
      node = chains.next(node)
    }
    return all
  }

  private write(key: string, draft: Draft): void {
    const { memory, chains, reader, ring } = this
    const { entry } = draft
    const hash = hashText(key, this.seed)
    const bucket = memory.bucketOf(hash)
    const former = this.entriesOf(bucket, hash, draft.key)
    const others = former.filter((at) => !isSameVariant(reader.find(at), entry))
    this.dropAll(former.filter((at) => !others.includes(at)))
    this.dropAll(others.slice(VARIANTS - 1))
    const at = ring.allocate(draft.units)
    const serial = memory.number(SERIAL) + 1
    memory.numbers[SERIAL] = serial
    writeEntry(memory, at, draft, this.keyBytes, serial)
    this.change(bucket, () => chains.add(bucket, at + KEY_NODE, hash, at))
    this.tags.add(at, entry)
    this.count(1)
  }

  private dropGroup(group: string): number {
    this.invalidations.record(groupTag(group))
    return this.dropAll(this.tags.find(groupTag(group)).filter((at) => this.reader.groups(at).includes(group)))
  }

  /** All entries in a batch of buckets, starting with that one. Moving an entry does not change its bucket. */
  private entriesFrom(bucket: number): number[] {
    const { chains, memory } = this
    const { buckets, bucketMask } = memory.layout
    const all: number[] = []
    for (let i = bucket; i < bucket + BATCH && i <= bucketMask; i++)
      for (let node = chains.first(buckets + i * BUCKET_WORDS); node !== 0; node = chains.next(node))
        all.push(node - KEY_NODE)
    return all
  }

  private async dropRest(first: number | Promise<number>, dropFrom: (bucket: number) => number): Promise<number> {
    let count = await first
    for (let bucket = BATCH; bucket <= this.memory.layout.bucketMask; bucket += BATCH) {
      await turn()
      count += await this.exclusively(() => dropFrom(bucket))
    }
    return count
  }

  private dropAll(entries: readonly number[]): number {
    for (const at of entries) this.drop(at)
    return entries.length
  }

  private drop(at: number): void {
    const bucket = this.bucketOf(at)
    this.tags.remove(at)
    this.change(bucket, () => this.chains.remove(bucket, at + KEY_NODE))
    this.ring.free(at)
    this.count(-1)
  }

  private count(amount: number): void {
    this.memory.words[ENTRIES] = this.memory.word(ENTRIES) + amount
  }

  private bucketOf(at: number): number {
    return this.memory.bucketOf(this.chains.hash(at + KEY_NODE))
  }

  private change(bucket: number, work: () => void): void {
    const { words } = this.memory
    Atomics.add(words, bucket + VERSION, 1)
    work()
    Atomics.add(words, bucket + VERSION, 1)
  }

  /** Runs `work` with the lock: now, or as soon as it is free. */
  private exclusively<Result>(work: () => Result): Result | Promise<Result> {
    return this.memory.lock.acquire(LOCK_TIMEOUT) ? this.writing(work) : this.later(work)
  }

  private async later<Result>(work: () => Result): Promise<Result> {
    do await pause(RETRY, this.clock)
    while (!this.memory.lock.acquire(0))
    return this.writing(work)
  }

  /** Runs `work` with the lock held, and releases it. If it throws, everything is removed, as the memory may be inconsistent. */
  private writing<Result>(work: () => Result): Result {
    let isDone = false
    try {
      const result = work()
      isDone = true
      return result
    } finally {
      if (isDone) this.memory.lock.release()
      else this.reset()
    }
  }
}
