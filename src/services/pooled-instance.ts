import { type Address, formatAddress, formatAuthority } from '../core/address.ts'
import type { LanePool } from '../http/lane.ts'
import type { PoolBounds } from '../http/pool-options.ts'
import type { RequestCounts } from './health/request-counts.ts'
import type { Instance } from './instance.ts'
import type { InstanceMetrics } from './instance-metrics.ts'
import type { LiveInstance } from './live-instance.ts'

/** An instance in one configuration, with this thread's lanes to it, which other configurations may share. */
export class PooledInstance implements Instance {
  readonly address: string
  readonly host: string
  readonly port: number
  /** Its name in a Host header. */
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

  /** Requests that this thread has sent to it and that have not ended. */
  get sent(): number {
    return this.live.inFlight
  }

  /** It was picked for a request. */
  begin(): void {
    this.requests.begin(this.slot)
  }

  /** The request has ended or goes to another instance. */
  end(): void {
    this.requests.end(this.slot)
  }

  /** The request is sent. */
  beginExchange(): void {
    this.live.inFlight++
  }

  /** Its lane has finished with the request. */
  endExchange(): void {
    this.live.inFlight--
  }

  /** Applies these bounds to its connections. */
  configure(bounds: PoolBounds): void {
    this.live.pool.configure(bounds)
  }
}
