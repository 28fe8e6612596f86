import type { Quota, QuotaState } from '../meter.ts'
import { type ClientHash, hashPart } from './client-hash.ts'
import type { QuotaCounter } from './quota-counter.ts'
import type { SharedTable } from './table.ts'

/** Counts within a window that begins with a client's first request; the next request after its end begins a new one. */
export class FixedWindow implements QuotaCounter {
  private readonly table: SharedTable
  private readonly seed: number
  private readonly limit: number
  private readonly window: number
  private readonly hash: ClientHash = { tag: 0, check: 0 }
  private now = 0
  private used = 0
  private entry = -1
  private until = 0

  constructor(table: SharedTable, seed: number, quota: Quota) {
    this.table = table
    this.seed = seed
    this.limit = quota.limit
    this.window = quota.window * 1000
  }

  look(client: ClientHash, now: number, cost: number): boolean {
    const { table, hash } = this
    hashPart(client, this.seed, hash)
    table.find(hash, now, now)
    this.now = now
    this.used = table.count
    this.entry = table.entry
    this.until = table.entry === -1 ? now + this.window : table.until
    return this.used + cost <= this.limit
  }

  take(cost: number): boolean {
    const { table, hash, now } = this
    let before = 0
    if (this.entry === -1) this.entry = table.claim(hash, now, this.until, cost)
    else before = table.add(this.entry, cost)
    if (this.entry === -1 || !table.owns(this.entry, hash)) return false
    table.find(hash, now, now)
    // Each of the threads that count on one entry sees the count before its own: if there is room for two, neither is refused.
    this.used = table.matches <= 1 ? before + cost : table.count
    if (this.used <= this.limit) return true
    this.giveBack(cost)
    return false
  }

  giveBack(cost: number): void {
    if (this.table.owns(this.entry, this.hash)) this.table.add(this.entry, -cost)
    this.used -= cost
  }

  state(cost: number): QuotaState {
    const reset = (this.until - this.now) / 1000
    const remaining = Math.max(0, this.limit - this.used)
    return { remaining, reset, wait: cost > remaining ? reset : 0 }
  }

  forget(client: ClientHash, now: number): void {
    hashPart(client, this.seed, this.hash)
    this.table.forget(this.hash, now)
  }
}
