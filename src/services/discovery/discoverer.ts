import type { Toolbox } from '../../core/toolbox.ts'

/** The names of all ways to discover. */
export const discoveryKinds = ['dns', 'kubernetes'] as const

export type DiscoveryKindName = (typeof discoveryKinds)[number]

/** An instance as it was found. */
export interface Found {
  /** Its IP address, without brackets. */
  readonly host: string
  readonly port: number
  /** Its share of the requests relative to the others; 0 for none but those of clients that are bound to it. */
  readonly weight: number
  /** Its zone; null if unknown. */
  readonly zone: string | null
}

/** Who is told what comes of it. */
export interface Finder {
  /** That is all there are now, in any order. `problem` says what part of it is as it was before, and why; null for none. */
  found(instances: readonly Found[], problem: string | null): void
  /** They could not be found out, for that reason: what was found before stays. */
  failed(reason: string): void
}

/** Finds out where a service runs, again and again, until it is stopped. */
export interface Discoverer {
  start(): void
  stop(): void
}

/** A way to discover: one folder in discovery/ and one line in discovery/index.ts. */
export interface DiscoveryKind<Options> {
  /** What is asked for, in a few words for logs and operators, such as "users.internal". */
  readonly subject: (options: Options) => string
  readonly create: (options: Options, finder: Finder, tools: Toolbox) => Discoverer
}
