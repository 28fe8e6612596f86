import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../policies/policy.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { HealthBoard } from '../services/health/board.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { ProcessStores } from '../policies/process-stores.ts'
import type { SeriesChange } from '../telemetry/metrics/thread-metrics.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import type { Tracing } from '../telemetry/tracing.ts'

/** What a thread is created from. */
export interface FrontOptions {
  readonly config: GatewayConfig
  /** Number of the configuration within this process: 1 for the initial one. */
  readonly generation: number
  /** Every available policy, in chain order. */
  readonly policies: readonly Policy[]
  readonly board: HealthBoard
  readonly slots: SlotTable
  /** Discovered instances. */
  readonly discovered: Discovered
  readonly processStores: ProcessStores
  readonly output: LogOutput
  /** Number of threads that handle requests, including this one. */
  readonly size: number
  /** Notifies the main thread of new metric series of this thread. */
  readonly announce: (series: SeriesChange) => void
  readonly tracing: Tracing
  /** The handlers of this thread. */
  readonly answers: TopicHandlers
  /** Access to all threads. */
  readonly threads: Threads
  readonly clock: Clock
  readonly random: () => number
  /** Key for sampling requests to log; the same for all threads. */
  readonly sampleKey: string
  /** Number of this thread among the workers: 0 for the first. */
  readonly worker: number
}
