import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { SeriesChange } from '../telemetry/metrics/thread-metrics.ts'
import type { LineMessage } from './line.ts'

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly type: 'start'
  /** Its number among the workers: 0 for the first; one that replaces another has the other's. */
  readonly worker: number
  readonly config: GatewayConfig
  /** Its number among the configurations of this process: 1 is that of its start. */
  readonly generation: number
  /** Workers in all. */
  readonly size: number
  /** The health board's memory. */
  readonly board: SharedArrayBuffer
  readonly slots: SlotTable
  /** The memory of the rate limits' counts. */
  readonly limits: SharedArrayBuffer
  /** Decides which requests are logged. */
  readonly sampleKey: string
  /** Where to listen, one for each listener of the configuration. */
  readonly addresses: readonly Address[]
  /** No other worker listens yet, and nobody else may. */
  readonly first: boolean
  /** Descriptors of sockets that listen there already, of which it takes copies; null for each address where it is to listen anew. */
  readonly sockets: readonly (number | null)[]
  /** The first health checks are through. */
  readonly ready: boolean
  /** Where it shows that it comes to its events. */
  readonly beats: SharedArrayBuffer
}

/** From the main thread to a worker. */
export type ToWorker =
  | WorkerStart
  | LineMessage
  | { readonly type: 'ready' }
  /** On the addresses `left` somebody else accepts from now on. */
  | { readonly type: 'retire'; readonly left: readonly Address[] }
  /** For the first `patience` ms of `timeout` clients may ask for something once more. */
  | { readonly type: 'drain'; readonly timeout: number; readonly patience: number }

/** From a worker to the main thread. */
export type FromWorker =
  | LineMessage
  | { readonly type: 'listening'; readonly addresses: readonly Address[]; readonly descriptors: readonly number[] }
  | { readonly type: 'series'; readonly series: SeriesChange }
  | { readonly type: 'drained'; readonly cutOff: number }
