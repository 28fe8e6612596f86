import { type Address, formatAddress, formatAuthority } from '../core/address.ts'
import type { LanePool } from '../http/lane.ts'
import type { PoolBounds } from '../http1/pool.ts'
import type { Instance } from './instance.ts'
import type { InstanceMetrics } from './instance-metrics.ts'
import type { LiveInstance } from './live-instance.ts'

/** An instance as one configuration has it, with this thread's lanes to it, which other configurations may use too. */
export class PooledInstance implements Instance {
  readonly address: string
  readonly host: string
  readonly port: number
  /** Its name in a Host field. */
  readonly authority: string
  readonly weight: number
  readonly slot: number
  readonly pool: LanePool
  readonly metrics: InstanceMetrics
  private readonly live: LiveInstance

  constructor(
    live: LiveInstance,
    url: Address & { readonly scheme: 'http' | 'https' },
    weight: number,
    /** Its place on the health board. */
    slot: number,
  ) {
    this.live = live
    this.address = formatAddress(url)
    this.host = url.host
    this.port = url.port
    this.authority = formatAuthority(url)
    this.weight = weight
    this.slot = slot
    this.pool = live.pool
    this.metrics = live.metrics
  }

  get inFlight(): number {
    return this.live.inFlight
  }

  /** A request goes out. */
  begin(): void {
    this.live.inFlight++
  }

  /** It is over. */
  end(): void {
    this.live.inFlight--
  }

  /** Has its connections go by these bounds from now on. */
  configure(bounds: PoolBounds): void {
    this.live.pool.configure(bounds)
  }
}
