import type { LoadedCode } from '../config/loaded-code.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import { defineTopic } from '../core/threads.ts'
import type { FoundInstances } from '../services/current-service.ts'
import type { Discovered } from '../services/discovery/discovery.ts'
import type { SlotTable } from '../services/health/slots.ts'

/** A configuration to replace the current one. */
export interface NextGeneration {
  /** Number of the configuration within this process, starting at 1. */
  readonly number: number
  readonly config: GatewayConfig
  /** The code of custom policies as of when the configuration was read. */
  readonly modules: LoadedCode
  readonly slots: SlotTable
  /** Discovered instances. */
  readonly discovered: Discovered
}

/** Changed instances for services of the current generation. */
export interface InstanceChange {
  /** Number of that generation. */
  readonly number: number
  /** By service name. */
  readonly services: ReadonlyMap<string, FoundInstances>
}

/** Request to a thread to prepare a generation. */
export interface Preparation extends NextGeneration {
  /** Where the previous threads would listen; null for the first thread, which determines what the configuration leaves open. */
  readonly addresses: readonly Address[] | null
  /** Whether other threads listen on the same addresses. */
  readonly shared: boolean
  /** Whether this is the first thread to open the new addresses; if so, it makes sure that no other process uses them. */
  readonly first: boolean
  /** Descriptors of sockets passed to the process for these addresses; null for each address without one. */
  readonly inherited: readonly (number | null)[]
}

/** The result: the addresses it would listen on, or why it cannot. */
export type PreparationResult =
  | { readonly addresses: readonly Address[]; readonly problem: null }
  | { readonly addresses: null; readonly problem: string }

/** Asks a thread to prepare a generation, which does not take effect yet. */
export const prepareTopic = defineTopic<Preparation, PreparationResult>('prepare-generation')

/** Puts the generation with that number into effect. Answers with the descriptors of its listening sockets, or null if it is not ready. */
export const commitTopic = defineTopic<number, readonly number[] | null>('commit-generation')

/** Switches services to other instances. Answers whether the generation matches. */
export const exchangeTopic = defineTopic<InstanceChange, boolean>('exchange-instances')

/** Abandons the generation with that number. */
export const abandonTopic = defineTopic<number, null>('abandon-generation')
