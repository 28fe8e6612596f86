import type { Toolbox } from '../../core/toolbox.ts'

/** The names of all discovery kinds. */
export const discoveryKinds = ['dns', 'kubernetes'] as const

export type DiscoveryKindName = (typeof discoveryKinds)[number]

/** A discovered instance. */
export interface DiscoveredInstance {
  /** IP address, without brackets. */
  readonly host: string
  readonly port: number
  /** Share of the requests relative to the other instances; with 0, only requests of clients bound to it. */
  readonly weight: number
  /** Zone; null if unknown. */
  readonly zone: string | null
}

/** Receives the results of discovery. */
export interface DiscoveryListener {
  /** Reports the complete set of instances, in any order. `problem` says which part is outdated, and why; null if none. */
  found(instances: readonly DiscoveredInstance[], problem: string | null): void
  /** Discovery failed for that reason: the previous result remains in effect. */
  failed(reason: string): void
}

/** Repeatedly discovers the instances of a service until it is stopped. */
export interface Discoverer {
  start(): void
  stop(): void
}

/** A kind of discovery: one folder in discovery/ and one line in discovery/index.ts. */
export interface DiscoveryKind<Options> {
  /** A short description of what is looked up, for logs and operators, such as "users.internal". */
  readonly subject: (options: Options) => string
  readonly create: (options: Options, finder: DiscoveryListener, tools: Toolbox) => Discoverer
}
