import type { LoadedCode } from '../config/loaded-code.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import { defineTopic } from '../core/threads.ts'
import type { SharedMemory } from '../policies/process-stores.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { SeriesChange } from '../telemetry/metrics/thread-metrics.ts'

/** The data a worker thread is started with. */
export interface WorkerStart {
  /** Its number among the workers: 0 for the first; a replacement has the number of its predecessor. */
  readonly worker: number
  readonly config: GatewayConfig
  /** The code to load custom policies from. */
  readonly modules: LoadedCode
  /** Number of its configuration within this process: 1 for the initial one. */
  readonly generation: number
  /** Total number of workers. */
  readonly size: number
  /** The memory of the health board. */
  readonly board: SharedArrayBuffer
  readonly slots: SlotTable
  /** Discovered instances. */
  readonly discovered: Discovered
  /** State that policies keep once per process. */
  readonly stores: SharedMemory
  /** Key for sampling requests to log. */
  readonly sampleKey: string
  /** Addresses to listen on, one per listener of the configuration. */
  readonly addresses: readonly Address[]
  /** Whether no other worker listens yet; if so, no other process may. */
  readonly first: boolean
  /** Descriptors of existing listening sockets, of which it takes copies; null for each address where it opens a new socket. */
  readonly sockets: readonly (number | null)[]
  /** Whether the first health checks are complete. */
  readonly ready: boolean
  /** Memory for its heartbeat. */
  readonly beats: SharedArrayBuffer
}

/** Where a worker listens. */
export interface Listening {
  readonly addresses: readonly Address[]
  /** Descriptors of its sockets, in the order of the addresses. */
  readonly descriptors: readonly number[]
}

/** Tells a worker that the first health checks are complete. */
export const becomeReadyTopic = defineTopic<null, null>('become-ready')

/** Tells a worker to report itself as not ready; on these addresses, another process accepts connections from now on. */
export const retireTopic = defineTopic<readonly Address[], null>('retire')

/** How a worker is to shut down, in milliseconds. */
export interface Drain {
  readonly timeout: number
  /** For the first part of that time, clients may send another request. */
  readonly gracePeriod: number
}

/** Tells a worker to shut down. */
export const drainTopic = defineTopic<Drain, null>('drain')

/** A worker reports where it listens, once it does. */
export const listeningTopic = defineTopic<Listening, null>('listening')

/** A worker reports a metric series that it starts or stops counting. */
export const seriesTopic = defineTopic<SeriesChange, null>('series')

/** A worker reports how many connections were cut off at the end of its drain. */
export const drainedTopic = defineTopic<number, null>('drained')
