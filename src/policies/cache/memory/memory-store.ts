import type { CacheStore, CacheUsage, CacheEntry, Missing, ReplyStore } from '../store.ts'
import type { Headers } from '../../../http/headers.ts'
import { Lru, type LruItem } from '../../../core/lru.ts'
import type { Counter } from '../../../core/metrics.ts'
import { select } from '../vary.ts'

/** Variants of one key; one more drops the oldest. */
const VARIANTS = 64

/** The entries of one key. */
interface Slot extends LruItem<Slot> {
  readonly url: string
  entries: readonly CacheEntry[]
  size: number
}

/** Keeps entries in the memory of its thread: at most `limit` octets, those that were used least recently go first. */
export class MemoryCacheStore implements CacheStore {
  private readonly slots: Lru<Slot>
  private readonly byUrl = new Map<string, Set<Slot>>()
  private readonly byGroup = new Map<string, Set<Slot>>()
  private count = 0

  /** `evictions` counts the entries that make room for others. */
  constructor(limit: number, evictions: Counter) {
    this.slots = new Lru(limit, (slot) => {
      evictions.add(slot.entries.length)
      this.forget(slot)
    })
  }

  usage(): CacheUsage {
    return { entries: this.count, bytes: this.slots.octets }
  }

  resize(limit: number): void {
    this.slots.resize(limit)
  }

  find(_url: string, key: string, request: Headers): CacheEntry | Missing {
    return found(this.slots.use(key), request)
  }

  peek(_url: string, key: string, request: Headers): CacheEntry | Missing {
    return found(this.slots.get(key), request)
  }

  put(key: string, entry: CacheEntry): void {
    if (!this.slots.hasRoomFor(entry.size)) return
    const slot = this.slots.get(key)
    if (slot === undefined)
      return this.hold({ key, url: entry.url, entries: [], size: 0, newer: null, older: null }, [entry])
    const others = slot.entries.filter((other) => !isSameVariant(other, entry))
    this.drop(slot)
    this.hold(slot, [entry, ...others].slice(0, VARIANTS))
  }

  remove(key: string, entry: CacheEntry): void {
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
  private hold(slot: Slot, entries: readonly CacheEntry[]): void {
    slot.entries = entries
    slot.size = entries.reduce((sum, { size }) => sum + size, 0)
    this.count += entries.length
    addTo(this.byUrl, slot.url, slot)
    for (const { groups } of entries) for (const group of groups) addTo(this.byGroup, group, slot)
    this.slots.add(slot)
  }

  private drop(slot: Slot): void {
    if (this.slots.remove(slot)) this.forget(slot)
  }

  /** It is not among the slots any more. */
  private forget(slot: Slot): void {
    this.count -= slot.entries.length
    removeFrom(this.byUrl, slot.url, slot)
    for (const { groups } of slot.entries) for (const group of groups) removeFrom(this.byGroup, group, slot)
  }
}

function found(slot: Slot | undefined, request: Headers): CacheEntry | Missing {
  return slot === undefined ? 'uri-miss' : (select(slot.entries, request) ?? 'vary-miss')
}

function isSameVariant(a: CacheEntry, b: CacheEntry): boolean {
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
  open: (): ReturnType<ReplyStore['open']> => (limit, evictions) => new MemoryCacheStore(limit, evictions),
} as const satisfies ReplyStore
