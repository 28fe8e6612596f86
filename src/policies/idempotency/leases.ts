import type { Clock } from '../../core/clock.ts'
import { type Holder, Shared } from '../../core/shared.ts'
import { type HeldKey, LEASE, type RepeatStore } from './store.ts'

/** How often a store is told of what is under way, in milliseconds: it may miss one of two. */
const RENEWAL = LEASE / 3

/** Keys that are to be freed as soon as the store can be told: at most so many, and so many at a time. */
const MOST_OWED = 10_000
const AT_ONCE = 100

/** By the store that they are in. */
const all = new Shared<Leases>()

/** The keys that one thread holds in a store for as long as their requests are under way. */
export class Leases {
  private readonly store: RepeatStore
  private readonly clock: Clock
  private readonly held = new Set<HeldKey>()
  /** Were held, or may be without the store having said so, and are to be free. */
  private readonly owed: HeldKey[] = []
  private cancel: (() => void) | null = null

  /** Those in the store of that key. */
  static of(holder: Holder, key: string, store: RepeatStore, clock: Clock): Leases {
    return all.get(holder, key, () => new Leases(store, clock))
  }

  constructor(store: RepeatStore, clock: Clock) {
    this.store = store
    this.clock = clock
  }

  hold(held: HeldKey): void {
    this.held.add(held)
    this.begin()
  }

  letGo(held: HeldKey): void {
    this.held.delete(held)
  }

  /** Nothing was sent for it: frees its key now, or as soon as the store answers. */
  async release(held: HeldKey): Promise<void> {
    if (await this.store.release(held)) return
    if (this.owed.length < MOST_OWED) this.owed.push(held)
    this.begin()
  }

  /** No configuration holds any more; what is under way still is. */
  close(): void {
    if (this.held.size === 0 && this.owed.length === 0) this.stop()
  }

  private begin(): void {
    this.cancel ??= this.clock.every(RENEWAL, () => void this.look())
  }

  private async look(): Promise<void> {
    if (this.held.size === 0 && this.owed.length === 0) return this.stop()
    if (this.held.size > 0) await this.store.renew([...this.held])
    for (const each of this.owed.splice(0, AT_ONCE)) await this.release(each)
  }

  private stop(): void {
    this.cancel?.()
    this.cancel = null
  }
}
