import type { LoadedCode } from '../config/loaded-code.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import { defineTopic } from '../core/threads.ts'
import type { SharedMemory } from '../policies/process-stores.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { SeriesChange } from '../telemetry/metrics/thread-metrics.ts'

/** What a worker thread is started with. */
export interface WorkerStart {
  /** Its number among the workers: 0 for the first; one that replaces another has the other's. */
  readonly worker: number
  readonly config: GatewayConfig
  /** What its policies of the user's own are loaded from. */
  readonly modules: LoadedCode
  /** Its number among the configurations of this process: 1 is that of its start. */
  readonly generation: number
  /** Workers in all. */
  readonly size: number
  /** The health board's memory. */
  readonly board: SharedArrayBuffer
  readonly slots: SlotTable
  /** What was found where instances are discovered. */
  readonly discovered: Discovered
  /** What policies keep once in the process. */
  readonly stores: SharedMemory
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

/** Where a worker listens. */
export interface Listening {
  readonly addresses: readonly Address[]
  /** Of its sockets, in the order of the addresses. */
  readonly descriptors: readonly number[]
}

/** Tells a worker that the first health checks are through. */
export const becomeReadyTopic = defineTopic<null, null>('become-ready')

/** Tells a worker to say that it is not ready any more: on these addresses somebody else accepts from now on. */
export const retireTopic = defineTopic<readonly Address[], null>('retire')

/** How a worker is to end, in milliseconds. */
export interface Drain {
  readonly timeout: number
  /** For so long of it clients may ask for something once more. */
  readonly patience: number
}

/** Tells a worker to end. */
export const drainTopic = defineTopic<Drain, null>('drain')

/** A worker tells where it listens, once it does. */
export const listeningTopic = defineTopic<Listening, null>('listening')

/** A worker tells of a metric that it begins or ends to count. */
export const seriesTopic = defineTopic<SeriesChange, null>('series')

/** A worker tells how many connections were cut off at the end of its drain. */
export const drainedTopic = defineTopic<number, null>('drained')
