import { Lru, type LruItem } from '../../../core/lru.ts'
import type { Counter } from '../../../core/metrics.ts'
import type { CacheUsage, CacheEntry } from '../store.ts'

interface Copy extends LruItem<Copy> {
  readonly entry: CacheEntry
}

/** Entries of Redis that this thread has used, by id: at most `limit` bytes, evicting the least recently used first. */
export class Copies {
  private readonly copies: Lru<Copy>

  constructor(limit: number, evictions: Counter) {
    this.copies = new Lru(limit, () => evictions.add(1))
  }

  get usage(): CacheUsage {
    return { entries: this.copies.size, bytes: this.copies.bytes }
  }

  get(id: string): CacheEntry | undefined {
    return this.copies.use(id)?.entry
  }

  add(id: string, entry: CacheEntry): void {
    const { size } = entry
    if (!this.copies.hasRoomFor(size)) return
    this.remove(id)
    this.copies.add({ key: id, size, entry, newer: null, older: null })
  }

  remove(id: string): void {
    const copy = this.copies.get(id)
    if (copy !== undefined) this.copies.remove(copy)
  }
}
