import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Metrics } from '../../core/metrics.ts'

/** The interval at which the event loop delay is sampled, in milliseconds; measured values include it. */
const RESOLUTION = 20
const WORST = 100
/** In the order in which they are read, the maximum last. */
const PERCENTILES = [50, 99, WORST]

/** Continuous measurements of a thread. */
export interface RuntimeWatch {
  stop(): void
}

/** Reads the event loop delay and the heap of this thread at each scrape. */
export function watchRuntime(metrics: Metrics, worker: number): RuntimeWatch {
  const label = { worker: String(worker) }
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  for (const percentile of PERCENTILES)
    metrics.watch('sallyport_event_loop_delay_seconds', { ...label, quantile: String(percentile / 100) }, () => {
      const seconds = Math.max(0, delay.percentile(percentile) / 1e9 - RESOLUTION / 1000)
      // Starts a new measurement, until the next scrape.
      if (percentile === WORST) delay.reset()
      return seconds
    })
  metrics.watch('sallyport_heap_bytes', { ...label, state: 'used' }, () => getHeapStatistics().used_heap_size)
  metrics.watch('sallyport_heap_bytes', { ...label, state: 'limit' }, () => getHeapStatistics().heap_size_limit)
  return { stop: () => delay.disable() }
}
