import type { Clock } from '../../core/clock.ts'
import { type Holder, Shared } from '../../core/shared.ts'
import { type HeldKey, LEASE, type RepeatStore } from './store.ts'

/** Interval at which leases are renewed in the store, in milliseconds: one of two renewals may fail. */
const RENEWAL = LEASE / 3

/** Keys to be released as soon as the store is available: how many at most, and how many at a time. */
const MAX_OWED = 10_000
const AT_ONCE = 100

/** By the store that the keys are in. */
const all = new Shared<Leases>()

/** The keys that one thread holds in a store while their requests are in progress. */
export class Leases {
  private readonly store: RepeatStore
  private readonly clock: Clock
  private readonly held = new Set<HeldKey>()
  /** Keys to be released that are, or may be, still held in the store. */
  private readonly toRelease: HeldKey[] = []
  private cancel: (() => void) | null = null

  /** The leases in the store with that key. */
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

  releaseSoon(held: HeldKey): void {
    this.held.delete(held)
  }

  /** Releases the key of a request that was not sent, now or as soon as the store is available. */
  async release(held: HeldKey): Promise<void> {
    if (await this.store.release(held)) return
    if (this.toRelease.length < MAX_OWED) this.toRelease.push(held)
    this.begin()
  }

  /** Called when no configuration uses it any more; requests in progress keep their leases. */
  close(): void {
    if (this.held.size === 0 && this.toRelease.length === 0) this.stop()
  }

  private begin(): void {
    this.cancel ??= this.clock.every(RENEWAL, () => void this.look())
  }

  private async look(): Promise<void> {
    if (this.held.size === 0 && this.toRelease.length === 0) return this.stop()
    if (this.held.size > 0) await this.store.renew([...this.held])
    for (const each of this.toRelease.splice(0, AT_ONCE)) await this.release(each)
  }

  private stop(): void {
    this.cancel?.()
    this.cancel = null
  }
}
