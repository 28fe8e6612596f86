import { setImmediate as turn } from 'node:timers/promises'
import type { Bytes } from '../../../http/body.ts'
import type { Clock } from '../../../core/clock.ts'
import { pause } from '../../../core/clock.ts'
import type { CacheEntry } from '../store.ts'
import { isSameVariant } from '../vary.ts'
import { Chains } from './chains.ts'
import { draftOf, type Draft, KEY_NODE, TAGS, tagNode, writeEntry } from './entry-layout.ts'
import { EntryReader, type Found } from './entry-reader.ts'
import { hashText } from './hash-text.ts'
import { BUCKET_WORDS, ENTRIES, HEAD, LIVE, SEED, SERIAL, TAIL, USED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'
import { Ring, type RingUser } from './ring.ts'

/** Variants of one key; one more drops the oldest. */
const VARIANTS = 64

/** Words of a bucket behind its first node. */
const VERSION = 1
const TOUCHED = 2

/** How often something is read anew that others have changed meanwhile. */
const ATTEMPTS = 4
/** Nodes of a chain that are looked at: more are there only for somebody who reads what is just being changed. */
const STEPS = 1_024

/** Buckets that are gone through at a time: who looks at all of them holds up nobody for long. */
const AT_ONCE = 4_096

/** How long a thread is still for the sake of an entry, or of what is to be forgotten, in milliseconds. */
const PATIENCE = 20
/** Until it tries again to forget. */
const AGAIN = 5

/** As long as so little of the ring is alive, entries are kept though nobody has used them: it is the dead that make room. */
const SPARSE = 3 / 4

/** What is stored under a key, the newest first, as long as its bucket has that version. */
export interface Shelf {
  readonly bucket: number
  readonly version: number
  readonly variants: readonly Found[]
}

/**
 * Stored replies in memory that all threads have in common.
 *
 * - An entry is found by its key through a bucket, which has a version. Whoever changes what is in the bucket, or moves it, counts the
 *   version up before and after that. Whoever reads looks at the version before and after, and has read what was there if it is the
 *   same even number both times: so nobody waits for those who write.
 * - One thread writes at a time.
 * - Those that were not used since they came, or came round last, make room for others.
 * - What is made invalid is remembered by the moment, so that a reply that was asked for before is not stored.
 */
export class SharedReplies implements RingUser {
  private readonly memory: ReplyMemory
  private readonly clock: Clock
  private readonly chains: Chains
  private readonly ring: Ring
  private readonly reader: EntryReader
  private readonly seed: number
  /** The key that was asked for last. */
  private keyOctets = Buffer.allocUnsafeSlow(1_024)
  /** Entries that have made room for the one that is just being put. */
  private evicted = 0

  constructor(memory: ReplyMemory, clock: Clock) {
    this.memory = memory
    this.clock = clock
    this.chains = new Chains(memory.words)
    this.ring = new Ring(memory, this)
    this.reader = new EntryReader(memory)
    this.seed = memory.word(SEED)
  }

  /** What is stored under a key; null where others change it so often that nobody can tell. */
  look(key: string): Shelf | null {
    const { words } = this.memory
    const hash = hashText(key, this.seed)
    const bucket = this.memory.bucketOf(hash)
    const length = this.writeKey(key)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = Atomics.load(words, bucket + VERSION)
      if (version % 2 !== 0) continue
      const variants = this.entriesOf(bucket, hash, length).map((at) => this.reader.find(at))
      const shelf = { bucket, version, variants }
      if (this.isStill(shelf)) return shelf
    }
    return null
  }

  /** All of an entry; null where it is not there any more. `known` is its body where the thread has it already. */
  read(shelf: Shelf, { at }: Found, known?: Bytes): CacheEntry | null {
    const entry = this.reader.read(at, known)
    return this.isStill(shelf) ? entry : null
  }

  /** Whether all that is in the bucket is as it was. */
  isCurrent({ bucket, version }: Shelf): boolean {
    return Atomics.load(this.memory.words, bucket + VERSION) === version
  }

  /** Something in the bucket has been used. */
  touch({ bucket }: Shelf): void {
    const { words } = this.memory
    if (words[bucket + TOUCHED] === 0) words[bucket + TOUCHED] = 1
  }

  /**
   * Keeps an entry in place of the one that answers the same: how many others made room for it. It is not kept if it was made invalid
   * after `begun`, takes more than an eighth of all, or others write for too long.
   */
  put(key: string, entry: CacheEntry, begun: number): number {
    const { memory } = this
    const draft = draftOf(entry, this.writeKey(key))
    if (draft.units > memory.layout.units / 8 || !memory.lock.take(PATIENCE)) return 0
    return this.writing(() => {
      if (this.isOutdated(entry, begun)) return 0
      this.evicted = 0
      this.write(key, draft)
      return this.evicted
    })
  }

  /** Forgets the entry of a key that answers the same, and was made at the same time. */
  remove(key: string, entry: CacheEntry): Promise<number> | number {
    return this.exclusively(() => {
      const hash = hashText(key, this.seed)
      const all = this.entriesOf(this.memory.bucketOf(hash), hash, this.writeKey(key))
      const same = all.filter((at) => this.reader.born(at) === entry.born && isSameVariant(this.reader.find(at), entry))
      return this.dropAll(same)
    })
  }

  /** Forgets all entries of a URL, and of the groups that one of them is in; how many it were. */
  invalidate(url: string): Promise<number> | number {
    return this.exclusively(() => {
      const all = this.taggedBy(urlTag(url)).filter((at) => this.reader.url(at) === url)
      const groups = new Set(all.flatMap((at) => this.reader.groups(at)))
      this.note(urlTag(url))
      const count = this.dropAll(all)
      return [...groups].reduce((sum, group) => sum + this.forgetGroup(group), count)
    })
  }

  /** Forgets all entries of a group; how many it were. */
  invalidateGroup(group: string): Promise<number> | number {
    return this.exclusively(() => this.forgetGroup(group))
  }

  /** Forgets all entries whose URL begins so; how many it were. */
  invalidatePrefix(prefix: string): Promise<number> | number {
    const dropFrom = (bucket: number): number =>
      this.dropAll(this.entriesFrom(bucket).filter((at) => this.reader.url(at).startsWith(prefix)))
    const first = this.exclusively(() => {
      const { numbers, layout } = this.memory
      numbers[layout.moments] = this.clock.now()
      return dropFrom(0)
    })
    return this.memory.layout.bucketMask < AT_ONCE ? first : this.dropRest(first, dropFrom)
  }

  /** All keys, those that came first or were kept on first. */
  keys(): Promise<readonly string[]> | readonly string[] {
    return this.exclusively(() => {
      const keys: string[] = []
      this.ring.each((at) => keys.push(this.reader.key(at).toString()))
      return keys
    })
  }

  /** Forgets everything, whatever a thread has left half done there that had the lock, and lets go of that. */
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
    words.fill(0, layout.tags, layout.tags + layout.tagMask + 1)
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
    this.untag(at)
    const bucket = this.bucketOf(at)
    this.change(bucket, () => {
      move()
      this.chains.moved(bucket, to + KEY_NODE, to)
    })
    for (let i = 0; i < this.memory.word(to + TAGS); i++) {
      const node = tagNode(to, i)
      this.tag(node, this.chains.hash(node), to)
    }
  }

  evict(at: number): void {
    this.evicted++
    this.drop(at)
  }

  /** What was read since the version was looked at was there. */
  private isStill({ bucket, version }: Shelf): boolean {
    // Nothing that is read before a change of memory, as this is one for the processor, can be read after it.
    return Atomics.add(this.memory.words, bucket + VERSION, 0) === version
  }

  private writeKey(key: string): number {
    if (this.keyOctets.length < key.length * 3) this.keyOctets = Buffer.allocUnsafeSlow(key.length * 6)
    return this.keyOctets.write(key)
  }

  /** The words that the entries begin at whose key was written last, the newest first. */
  private entriesOf(bucket: number, hash: number, length: number): number[] {
    const { chains, reader, keyOctets } = this
    const all: number[] = []
    let node = chains.first(bucket)
    for (let i = 0; i < STEPS && reader.isPlace(node - KEY_NODE); i++) {
      const at = node - KEY_NODE
      if (chains.hash(node) === hash && reader.hasKey(at, keyOctets, length)) all.push(at)
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
    writeEntry(memory, at, draft, this.keyOctets, serial)
    this.change(bucket, () => chains.add(bucket, at + KEY_NODE, hash, at))
    for (const [i, tag] of [urlTag(entry.url), ...entry.groups.map(groupTag)].entries())
      this.tag(tagNode(at, i), hashText(tag, this.seed), at)
    this.count(1)
  }

  private isOutdated({ url, groups }: CacheEntry, begun: number): boolean {
    const { memory } = this
    const isLater = (unit: number): boolean => memory.number(unit) > begun
    return (
      isLater(memory.layout.moments) ||
      [urlTag(url), ...groups.map(groupTag)].some((tag) => isLater(this.momentOf(tag)))
    )
  }

  /** Remembers that what has the tag is invalid that was asked for before. */
  private note(tag: string): void {
    this.memory.numbers[this.momentOf(tag)] = this.clock.now()
  }

  /** Where the moment lies at which something with that tag was made invalid: what has it in common seems to be invalid then too. */
  private momentOf(tag: string): number {
    const { moments, momentMask } = this.memory.layout
    return moments + 1 + (hashText(tag, this.seed) & momentMask)
  }

  private forgetGroup(group: string): number {
    this.note(groupTag(group))
    return this.dropAll(this.taggedBy(groupTag(group)).filter((at) => this.reader.groups(at).includes(group)))
  }

  /** Entries that may have that tag. */
  private taggedBy(tag: string): number[] {
    const { chains, memory } = this
    const hash = hashText(tag, this.seed)
    const all = new Set<number>()
    for (let node = chains.first(memory.tagOf(hash)); node !== 0; node = chains.next(node))
      if (chains.hash(node) === hash) all.add(chains.entry(node))
    return [...all]
  }

  /** Those in some of the buckets, from that one on; what comes later is in the same bucket, wherever it lies. */
  private entriesFrom(bucket: number): number[] {
    const { chains, memory } = this
    const { buckets, bucketMask } = memory.layout
    const all: number[] = []
    for (let i = bucket; i < bucket + AT_ONCE && i <= bucketMask; i++)
      for (let node = chains.first(buckets + i * BUCKET_WORDS); node !== 0; node = chains.next(node))
        all.push(node - KEY_NODE)
    return all
  }

  private async dropRest(first: number | Promise<number>, dropFrom: (bucket: number) => number): Promise<number> {
    let count = await first
    for (let bucket = AT_ONCE; bucket <= this.memory.layout.bucketMask; bucket += AT_ONCE) {
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
    this.untag(at)
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

  private tag(node: number, hash: number, at: number): void {
    this.chains.add(this.memory.tagOf(hash), node, hash, at)
  }

  private untag(at: number): void {
    for (let i = 0; i < this.memory.word(at + TAGS); i++) {
      const node = tagNode(at, i)
      this.chains.remove(this.memory.tagOf(this.chains.hash(node)), node)
    }
  }

  private change(bucket: number, work: () => void): void {
    const { words } = this.memory
    Atomics.add(words, bucket + VERSION, 1)
    work()
    Atomics.add(words, bucket + VERSION, 1)
  }

  /** Does that now, or as soon as others do not write any more. */
  private exclusively<Result>(work: () => Result): Result | Promise<Result> {
    return this.memory.lock.take(PATIENCE) ? this.writing(work) : this.later(work)
  }

  private async later<Result>(work: () => Result): Promise<Result> {
    do await pause(AGAIN, this.clock)
    while (!this.memory.lock.take(0))
    return this.writing(work)
  }

  /** Does what is done by one thread at a time, which has the lock: if that fails all is forgotten, as nobody knows how far it came. */
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

function urlTag(url: string): string {
  return `u ${url}`
}

function groupTag(group: string): string {
  return `g ${group}`
}
