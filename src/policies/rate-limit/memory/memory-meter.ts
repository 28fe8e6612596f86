import type { Clock } from '../../../core/clock.ts'
import type { Algorithm, Decision, Limit, Quota, QuotaState, SyncMeter } from '../meter.ts'
import { type ClientHash, hashClient, seedOf } from './client-hash.ts'
import { FixedWindow } from './fixed-window.ts'
import type { QuotaCounter } from './quota-counter.ts'
import { SlidingWindow } from './sliding-window.ts'
import type { SharedTable } from './table.ts'
import { TokenBucket } from './token-bucket.ts'

type QuotaCounterClass = new (table: SharedTable, seed: number, quota: Quota) => QuotaCounter

const gauges: Readonly<Record<Algorithm, QuotaCounterClass>> = {
  'fixed-window': FixedWindow,
  'sliding-window': SlidingWindow,
  'token-bucket': TokenBucket,
}

/** How often a decision is repeated if other threads took the units first. */
const ATTEMPTS = 8

/** Counts in the table shared by all threads; exact across them, and never blocks. */
export class MemoryMeter implements SyncMeter {
  private readonly table: SharedTable
  private readonly clock: Clock
  private readonly gauges: readonly QuotaCounter[]
  private readonly hash: ClientHash = { tag: 0, check: 0 }

  constructor(table: SharedTable, clock: Clock, { name, algorithm, quotas }: Limit) {
    this.table = table
    this.clock = clock
    this.gauges = quotas.map((quota) => {
      const seed = seedOf(`${name} ${algorithm} ${quota.window}`, table.seed)
      return new gauges[algorithm](table, seed, quota)
    })
  }

  decide(client: string, cost: number): Decision {
    const { seed } = this.table
    const needed = Math.max(cost, 1)
    hashClient(client, seed, ~seed, this.hash)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (!this.look(needed)) break
      if (cost === 0 || this.take(cost)) return { admitted: true, quotas: this.states(0) }
    }
    return { admitted: false, quotas: this.states(needed) }
  }

  forget(client: string): boolean {
    const { seed } = this.table
    hashClient(client, seed, ~seed, this.hash)
    for (const gauge of this.gauges) gauge.forget(this.hash, this.now())
    return true
  }

  /** Microseconds. */
  private now(): number {
    return Math.floor(this.clock.now() * 1000)
  }

  /** Whether all quotas have room. */
  private look(cost: number): boolean {
    const now = this.now()
    let room = true
    for (const gauge of this.gauges) room = gauge.look(this.hash, now, cost) && room
    return room
  }

  /** Takes from all quotas, or from none. */
  private take(cost: number): boolean {
    let taken = 0
    for (const gauge of this.gauges) {
      if (!gauge.take(cost)) break
      taken++
    }
    if (taken === this.gauges.length) return true
    for (const gauge of this.gauges) if (taken-- > 0) gauge.giveBack(cost)
    return false
  }

  private states(cost: number): QuotaState[] {
    return this.gauges.map((gauge) => gauge.state(cost))
  }
}
