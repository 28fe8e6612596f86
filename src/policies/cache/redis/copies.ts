import type { CacheUsage, Entry } from '../store.ts'
import type { Counter } from '../../../core/metrics.ts'

/** Entries of Redis that this thread has seen, by their ids: at most `limit` octets, those used least recently go first. */
export class Copies {
  private limit: number
  private readonly evictions: Counter
  private readonly entries = new Map<string, Entry>()
  private used = 0

  constructor(limit: number, evictions: Counter) {
    this.limit = limit
    this.evictions = evictions
  }

  get usage(): CacheUsage {
    return { entries: this.entries.size, bytes: this.used }
  }

  /** Takes so many octets at most from now on. */
  resize(limit: number): void {
    this.limit = limit
    this.makeRoom()
  }

  get(id: string): Entry | undefined {
    const entry = this.entries.get(id)
    if (entry === undefined) return undefined
    this.entries.delete(id)
    this.entries.set(id, entry)
    return entry
  }

  add(id: string, entry: Entry): void {
    // One that would drive out a good part of all others is not worth it.
    if (entry.size > this.limit / 8) return
    this.remove(id)
    this.entries.set(id, entry)
    this.used += entry.size
    this.makeRoom()
  }

  private makeRoom(): void {
    for (const oldest of this.entries.keys()) {
      if (this.used <= this.limit) return
      this.remove(oldest)
      this.evictions.add(1)
    }
  }

  remove(id: string): void {
    const entry = this.entries.get(id)
    if (entry === undefined || !this.entries.delete(id)) return
    this.used -= entry.size
  }
}
