import type { Metrics } from '../core/metrics.ts'
import { Shared } from '../core/shared.ts'
import type { LanePool } from '../http/lane.ts'
import { InstanceMetrics } from './instance-metrics.ts'

const STATES = ['idle', 'busy', 'connecting', 'streaming'] as const

/** What a thread has of instances, by service, address and `connectionKey`. */
export const liveInstances = new Shared<LiveInstance>()

/** What one thread has of an instance, whichever configurations name it: its connections, and what it counts. */
export class LiveInstance {
  /** Requests that have gone out and are not over. */
  inFlight = 0
  readonly pool: LanePool
  readonly metrics: InstanceMetrics
  private readonly ends: readonly (() => void)[]

  constructor(service: string, instance: string, pool: LanePool, metrics: Metrics) {
    this.pool = pool
    this.metrics = new InstanceMetrics(metrics, service, instance)
    this.ends = this.watch(metrics, { service, instance })
  }

  /** Ends idle connections now and busy ones after their exchange. */
  close(): void {
    for (const end of this.ends) end()
    this.metrics.close()
    this.pool.close()
  }

  /** Added up with what there is beside it, where an instance is connected to in two ways. */
  private watch(metrics: Metrics, labels: { readonly service: string; readonly instance: string }): (() => void)[] {
    const { pool } = this
    // The same objects at each scrape, as their texts are made once.
    const states = STATES.map((state) => ({ state, labels: { ...labels, state } }))
    return [
      metrics.watchAll('sallyport_instance_in_flight', () => [{ labels, value: this.inFlight }]),
      metrics.watchAll('sallyport_pool_waiting', () => [{ labels, value: pool.size.waiting }]),
      metrics.watchAll('sallyport_pool_connections', () => {
        const { size } = pool
        return states.map(({ state, labels: all }) => ({ labels: all, value: size[state] }))
      }),
    ]
  }
}
