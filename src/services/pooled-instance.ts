import { type Address, formatAddress, formatAuthority } from '../core/address.ts'
import type { LanePool } from '../http/lane.ts'
import type { PoolBounds } from '../http/pool-options.ts'
import type { RequestCounts } from './health/request-counts.ts'
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
  private readonly requests: RequestCounts

  constructor(
    live: LiveInstance,
    requests: RequestCounts,
    url: Address & { readonly scheme: 'http' | 'https' },
    weight: number,
    /** Its place on the health board. */
    slot: number,
  ) {
    this.live = live
    this.requests = requests
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
    return this.requests.of(this.slot)
  }

  /** Requests that have gone out to it from this thread and are not over. */
  get sent(): number {
    return this.live.inFlight
  }

  /** It was picked for a request. */
  begin(): void {
    this.requests.begin(this.slot)
  }

  /** That request is over, or goes elsewhere. */
  end(): void {
    this.requests.end(this.slot)
  }

  /** The request goes out. */
  beginExchange(): void {
    this.live.inFlight++
  }

  /** Its lane has nothing more to do with it. */
  endExchange(): void {
    this.live.inFlight--
  }

  /** Has its connections go by these bounds from now on. */
  configure(bounds: PoolBounds): void {
    this.live.pool.configure(bounds)
  }
}
