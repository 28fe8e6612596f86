import type { GatewayConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../policies/policy.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { HealthBoard } from '../services/health/board.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { ProcessStores } from '../policies/process-stores.ts'
import type { SeriesChange } from '../telemetry/metrics/thread-metrics.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import type { Tracing } from '../telemetry/tracing.ts'

/** What a thread is made from. */
export interface FrontOptions {
  readonly config: GatewayConfig
  /** Its number among the configurations of this process: 1 is that of its start. */
  readonly generation: number
  /** Every policy that the configuration may name, in the order of the chain. */
  readonly policies: readonly Policy[]
  readonly board: HealthBoard
  readonly slots: SlotTable
  /** What was found where instances are discovered. */
  readonly discovered: Discovered
  readonly processStores: ProcessStores
  readonly output: LogOutput
  /** Threads that answer requests, this one among them. */
  readonly size: number
  /** Tells the main thread of metrics that this one begins to count. */
  readonly announce: (series: SeriesChange) => void
  readonly tracing: Tracing
  /** What this thread answers. */
  readonly answers: Answers
  /** All threads, to be asked. */
  readonly threads: Threads
  readonly clock: Clock
  readonly random: () => number
  /** Decides which requests are logged where not all are: the same for all threads. */
  readonly sampleKey: string
  /** Number of this thread among the workers: 0 for the first. */
  readonly worker: number
}
