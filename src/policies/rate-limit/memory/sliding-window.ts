import type { Quota, QuotaState } from '../meter.ts'
import { type ClientHash, hashPart } from './client-hash.ts'
import type { QuotaCounter } from './quota-counter.ts'
import type { SharedTable } from './table.ts'

// Slices are accessed by index, and there is always the same number of them: "!" asserts that at no cost.

/** Number of slices of a window. */
const SLICES = 8

/**
 * Counts in slices of an eighth of the window, and adds up all slices that overlap the last window, including the whole of the
 * oldest one: so an admitted request counts for at least a window and at most an eighth longer.
 */
export class SlidingWindow implements QuotaCounter {
  private readonly table: SharedTable
  private readonly seed: number
  private readonly limit: number
  private readonly slice: number
  private readonly client: ClientHash = { tag: 0, check: 0 }
  private readonly hash: ClientHash = { tag: 0, check: 0 }
  /** Counts of the relevant slices, oldest first, and of the next one, which other threads may already be in. */
  private readonly counts = new Float64Array(SLICES + 2)
  private now = 0
  private current = 0
  private used = 0
  /** The entry of the current slice, or -1. */
  private entry = -1

  constructor(table: SharedTable, seed: number, quota: Quota) {
    this.table = table
    this.seed = seed
    this.limit = quota.limit
    this.slice = (quota.window * 1000) / SLICES
  }

  look(client: ClientHash, now: number, cost: number): boolean {
    hashPart(client, this.seed, this.client)
    this.now = now
    this.current = Math.floor(now / this.slice)
    this.sumUp()
    return this.used + cost <= this.limit
  }

  take(cost: number): boolean {
    const { table, hash, current, now } = this
    hashPart(this.client, current, hash)
    let before = 0
    if (this.entry === -1) this.entry = table.claim(hash, now, this.endOf(current), cost)
    else before = table.add(this.entry, cost)
    const { entry } = this
    if (entry === -1 || !table.owns(entry, hash)) return false
    const matches = this.sumUp()
    this.entry = entry
    // Each of the threads that count on one entry sees the count before its own: if there is room for two, neither is refused.
    if (matches <= 1) {
      this.used += before + cost - this.counts[SLICES]!
      this.counts[SLICES] = before + cost
    }
    if (this.used <= this.limit) return true
    this.giveBack(cost)
    return false
  }

  giveBack(cost: number): void {
    hashPart(this.client, this.current, this.hash)
    if (this.table.owns(this.entry, this.hash)) this.table.add(this.entry, -cost)
    this.counts[SLICES]! -= cost
    this.used -= cost
  }

  state(cost: number): QuotaState {
    const remaining = Math.max(0, this.limit - this.used)
    return { remaining, reset: this.until(1), wait: cost > remaining ? this.until(cost - remaining) : 0 }
  }

  forget(client: ClientHash, now: number): void {
    hashPart(client, this.seed, this.client)
    const oldest = Math.floor(now / this.slice) - SLICES
    for (let i = 0; i < this.counts.length; i++) {
      hashPart(this.client, oldest + i, this.hash)
      this.table.forget(this.hash, now)
    }
  }

  /** Adds up all relevant slices, and returns the number of entries of the current one. */
  private sumUp(): number {
    const { table, hash, counts, current, now } = this
    const oldest = current - SLICES
    let matches = 0
    this.used = 0
    for (let i = 0; i < counts.length; i++) {
      hashPart(this.client, oldest + i, hash)
      table.find(hash, now, now)
      counts[i] = table.count
      this.used += table.count
      if (i !== SLICES) continue
      this.entry = table.entry
      matches = table.matches
    }
    return matches
  }

  /** Milliseconds until that many units are free again. */
  private until(units: number): number {
    let freed = 0
    for (let i = 0; i < this.counts.length; i++) {
      freed += this.counts[i] ?? 0
      if (freed >= units) return (this.endOf(this.current - SLICES + i) - this.now) / 1000
    }
    return (this.slice * SLICES) / 1000
  }

  /** When requests admitted in a slice no longer count. */
  private endOf(slice: number): number {
    return Math.ceil((slice + 1 + SLICES) * this.slice)
  }
}
