import type { Quota, QuotaState } from '../meter.ts'
import { type ClientHash, hashPart } from './client-hash.ts'
import type { QuotaCounter } from './quota-counter.ts'
import type { SharedTable } from './table.ts'

/** How long after its end an entry is reused, in microseconds: shorter than the table's grace period. */
const REUSE = 500_000
/** How often a change is retried that other threads interfered with. */
const TRIES = 64

/**
 * A bucket of `limit` tokens that refills evenly, from empty to full in one window: the generic cell rate algorithm. The entry
 * holds the time at which the bucket will be full again.
 */
export class TokenBucket implements QuotaCounter {
  private readonly table: SharedTable
  private readonly seed: number
  /** Microseconds per token; an integer, so that sums stay exact. */
  private readonly interval: number
  private readonly capacity: number
  private readonly hash: ClientHash = { tag: 0, check: 0 }
  private now = 0
  /** Microseconds until the bucket is full. */
  private backlog = 0
  private matches = 0
  private entry = -1

  constructor(table: SharedTable, seed: number, quota: Quota) {
    this.table = table
    this.seed = seed
    this.interval = Math.max(1, Math.ceil((quota.window * 1000) / quota.limit))
    this.capacity = this.interval * quota.limit
  }

  look(client: ClientHash, now: number, cost: number): boolean {
    hashPart(client, this.seed, this.hash)
    this.now = now
    this.find()
    return this.backlog + cost * this.interval <= this.capacity
  }

  take(cost: number): boolean {
    const { table, hash, now } = this
    const time = cost * this.interval
    if (this.entry === -1) {
      this.entry = table.claim(hash, now, now + time, 0)
      if (this.entry === -1) return false
    } else if (!this.move(time)) return false
    const { entry } = this
    if (!table.owns(entry, hash)) return false
    this.find()
    this.entry = entry
    if (this.matches <= 1 || this.backlog <= this.capacity) return true
    this.giveBack(cost)
    return false
  }

  giveBack(cost: number): void {
    const { table, entry, hash } = this
    const time = cost * this.interval
    this.backlog -= time
    for (let tries = 0; tries < TRIES && table.owns(entry, hash); tries++) {
      const until = table.untilOf(entry)
      if (table.moveUntil(entry, until, until - time)) return
    }
  }

  state(cost: number): QuotaState {
    const room = this.capacity - this.backlog
    const remaining = Math.max(0, Math.floor(room / this.interval))
    const reset = ((remaining + 1) * this.interval - room) / 1000
    return { remaining, reset, wait: Math.max(0, (cost * this.interval - room) / 1000) }
  }

  forget(client: ClientHash, now: number): void {
    hashPart(client, this.seed, this.hash)
    this.table.forget(this.hash, now)
  }

  private find(): void {
    const { table } = this
    table.find(this.hash, this.now - REUSE, this.now)
    this.entry = table.entry
    this.backlog = table.backlog
    this.matches = table.matches
  }

  /** Refills the bucket for the elapsed time and takes from it, in one step; false if it has too few tokens. */
  private move(time: number): boolean {
    const { table, entry, hash, now } = this
    const others = this.matches === 1 ? 0 : this.backlog - Math.max(0, table.untilOf(entry) - now)
    for (let tries = 0; tries < TRIES && table.owns(entry, hash); tries++) {
      const until = table.untilOf(entry)
      const full = Math.max(until, now) + time
      if (full - now + others > this.capacity) return false
      if (table.moveUntil(entry, until, full)) return true
    }
    return false
  }
}
