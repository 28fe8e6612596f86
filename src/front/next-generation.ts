import type { LoadedCode } from '../config/loaded-code.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import { defineTopic } from '../core/threads.ts'
import type { FoundInstances } from '../services/current-service.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import type { SlotTable } from '../services/health/slots.ts'

/** A configuration that is to follow the one that answers now. */
export interface NextGeneration {
  /** Number of the configuration within this process, starting at 1. */
  readonly number: number
  readonly config: GatewayConfig
  /** What policies of the user's own were loaded from when it was read. */
  readonly modules: LoadedCode
  readonly slots: SlotTable
  /** What was found where instances are discovered. */
  readonly discovered: Discovered
}

/** Other instances for services of the generation that answers. */
export interface InstanceChange {
  /** Number of that generation. */
  readonly number: number
  /** By the names of the services. */
  readonly services: ReadonlyMap<string, FoundInstances>
}

/** What a thread is told to make ready. */
export interface Preparation extends NextGeneration {
  /** Where threads before this one would listen; null for the first one, which finds out what the configuration leaves open. */
  readonly addresses: readonly Address[] | null
  /** Other threads listen on the same addresses. */
  readonly shared: boolean
  /** No other thread has opened what is new in them, and nobody else may have. */
  readonly first: boolean
  /** Descriptors of sockets that were given to the process for them; null for each that was not. */
  readonly given: readonly (number | null)[]
}

/** What came of it: where it would listen, or why it cannot. */
export type Preparedness =
  | { readonly addresses: readonly Address[]; readonly problem: null }
  | { readonly addresses: null; readonly problem: string }

/** Has a thread make a generation ready, which does not answer yet. */
export const prepareTopic = defineTopic<Preparation, Preparedness>('prepare-generation')

/** Has the generation with that number answer from now on. Tells on which descriptors it listens, or null where it is not ready. */
export const commitTopic = defineTopic<number, readonly number[] | null>('commit-generation')

/** Has services send requests to other instances from now on. Tells whether the generation is that one. */
export const exchangeTopic = defineTopic<InstanceChange, boolean>('exchange-instances')

/** The generation with that number is not going to answer. */
export const abandonTopic = defineTopic<number, null>('abandon-generation')
