import type { Metrics } from '../core/metrics.ts'
import { Shared } from '../core/shared.ts'
import type { LanePool } from '../http/lane.ts'
import { InstanceMetrics } from './instance-metrics.ts'

const STATES = ['idle', 'busy', 'connecting', 'streaming'] as const

/** A thread's instances, by service, address and `connectionKey`. */
export const liveInstances = new Shared<LiveInstance>()

/** A thread's connections to an instance and its counters, shared by all configurations that include the instance. */
export class LiveInstance {
  /** Requests that were sent and have not ended. */
  inFlight = 0
  readonly pool: LanePool
  readonly metrics: InstanceMetrics
  private readonly ends: readonly (() => void)[]

  constructor(service: string, instance: string, pool: LanePool, metrics: Metrics) {
    this.pool = pool
    this.metrics = new InstanceMetrics(metrics, service, instance)
    this.ends = this.watch(metrics, { service, instance })
  }

  /** Closes idle connections now, and busy ones after their current exchange. */
  close(): void {
    for (const end of this.ends) end()
    this.metrics.close()
    this.pool.close()
  }

  /** If an instance is connected to in two different ways, their values are added up. */
  private watch(metrics: Metrics, labels: { readonly service: string; readonly instance: string }): (() => void)[] {
    const { pool } = this
    // The same objects at each scrape, so that their text form is computed only once.
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
