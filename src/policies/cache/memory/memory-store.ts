import type { CacheStore, CacheUsage, Entry, Missing, ReplyStore } from '../store.ts'
import type { Headers } from '../../../http/headers.ts'
import type { Counter } from '../../../core/metrics.ts'
import { select } from '../vary.ts'

/** Variants of one key; one more drops the oldest. */
const VARIANTS = 64

/** Slots that are dropped at a time. */
const AT_ONCE = 500

/** The entries of one key, in the list of those that were used last. */
interface Slot {
  readonly key: string
  readonly url: string
  entries: readonly Entry[]
  size: number
  newer: Slot | null
  older: Slot | null
}

/** Keeps entries in the memory of its thread: at most `limit` octets, those that were used least recently go first. */
export class MemoryCacheStore implements CacheStore {
  private limit: number
  private readonly evictions: Counter
  private readonly slots = new Map<string, Slot>()
  private readonly byUrl = new Map<string, Set<Slot>>()
  private readonly byGroup = new Map<string, Set<Slot>>()
  private newest: Slot | null = null
  private oldest: Slot | null = null
  private used = 0
  private count = 0
  private makingRoom = false

  /** `evictions` counts the entries that make room for others. */
  constructor(limit: number, evictions: Counter) {
    this.limit = limit
    this.evictions = evictions
  }

  usage(): CacheUsage {
    return { entries: this.count, bytes: this.used }
  }

  resize(limit: number): void {
    this.limit = limit
    this.makeRoom()
  }

  find(_url: string, key: string, request: Headers): Entry | Missing {
    const slot = this.slots.get(key)
    if (slot === undefined) return 'uri-miss'
    if (slot !== this.newest) {
      this.unlink(slot)
      this.link(slot)
    }
    return select(slot.entries, request) ?? 'vary-miss'
  }

  put(key: string, entry: Entry): void {
    // One that would drive out a good part of all others is not worth it.
    if (entry.size > this.limit / 8) return
    const slot = this.slots.get(key)
    if (slot === undefined)
      return this.hold({ key, url: entry.url, entries: [], size: 0, newer: null, older: null }, [entry])
    const others = slot.entries.filter((other) => !isSameVariant(other, entry))
    this.drop(slot)
    this.hold(slot, [entry, ...others].slice(0, VARIANTS))
  }

  remove(key: string, entry: Entry): void {
    const slot = this.slots.get(key)
    if (slot === undefined || !slot.entries.includes(entry)) return
    const others = slot.entries.filter((other) => other !== entry)
    this.drop(slot)
    if (others.length > 0) this.hold(slot, others)
  }

  invalidate(url: string): number {
    const slots = [...(this.byUrl.get(url) ?? [])]
    const groups = new Set(slots.flatMap(({ entries }) => entries.flatMap((entry) => entry.groups)))
    const count = this.dropAll(slots)
    return [...groups].reduce((sum, group) => sum + this.invalidateGroup(group), count)
  }

  invalidateGroup(group: string): number {
    let count = 0
    for (const slot of this.byGroup.get(group) ?? []) {
      for (const entry of slot.entries) {
        if (!entry.groups.includes(group)) continue
        this.remove(slot.key, entry)
        count++
      }
    }
    return count
  }

  invalidatePrefix(prefix: string): number {
    return this.dropAll([...this.slots.values()].filter(({ url }) => url.startsWith(prefix)))
  }

  private dropAll(slots: readonly Slot[]): number {
    for (const slot of slots) this.drop(slot)
    return slots.reduce((sum, { entries }) => sum + entries.length, 0)
  }

  /** Takes a slot in, as the one used last, with those entries. */
  private hold(slot: Slot, entries: readonly Entry[]): void {
    slot.entries = entries
    slot.size = entries.reduce((sum, { size }) => sum + size, 0)
    this.used += slot.size
    this.count += entries.length
    this.slots.set(slot.key, slot)
    addTo(this.byUrl, slot.url, slot)
    for (const { groups } of entries) for (const group of groups) addTo(this.byGroup, group, slot)
    this.link(slot)
    if (this.used > this.limit) this.makeRoom()
  }

  /** What are many, as after a change of the limit, is dropped in several turns. */
  private makeRoom(): void {
    for (let i = 0; i < AT_ONCE && this.used > this.limit && this.oldest !== null; i++) {
      this.evictions.add(this.oldest.entries.length)
      this.drop(this.oldest)
    }
    if (this.used <= this.limit || this.makingRoom) return
    this.makingRoom = true
    setImmediate(() => {
      this.makingRoom = false
      this.makeRoom()
    })
  }

  private drop(slot: Slot): void {
    if (!this.slots.delete(slot.key)) return
    this.used -= slot.size
    this.count -= slot.entries.length
    removeFrom(this.byUrl, slot.url, slot)
    for (const { groups } of slot.entries) for (const group of groups) removeFrom(this.byGroup, group, slot)
    this.unlink(slot)
  }

  private link(slot: Slot): void {
    slot.newer = null
    slot.older = this.newest
    if (this.newest === null) this.oldest = slot
    else this.newest.newer = slot
    this.newest = slot
  }

  private unlink(slot: Slot): void {
    const { newer, older } = slot
    if (newer === null) this.newest = older
    else newer.older = older
    if (older === null) this.oldest = newer
    else older.newer = newer
  }
}

function isSameVariant(a: Entry, b: Entry): boolean {
  return isSameList(a.vary, b.vary) && isSameList(a.selecting, b.selecting)
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index])
}

function addTo(index: Map<string, Set<Slot>>, name: string, slot: Slot): void {
  const slots = index.get(name)
  if (slots === undefined) index.set(name, new Set([slot]))
  else slots.add(slot)
}

function removeFrom(index: Map<string, Set<Slot>>, name: string, slot: Slot): void {
  const slots = index.get(name)
  if (slots === undefined || !slots.delete(slot) || slots.size > 0) return
  index.delete(name)
}

/** Replies in the memory of each thread. */
export const memoryReplies = {
  name: 'memory',
  isShared: false,
  open: () => (limit, evictions) => new MemoryCacheStore(limit, evictions),
} as const satisfies ReplyStore
