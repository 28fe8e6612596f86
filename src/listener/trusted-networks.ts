import { defineTopic } from '../core/threads.ts'

/** Whose word about a client counts. */
export interface TrustedNetworks {
  /** Rises with each change; 0 for what the configuration held when it was loaded. */
  readonly version: number
  /** Addresses and networks in CIDR notation. */
  readonly networks: readonly string[]
}

/** A thread that starts asks what holds now; the main thread answers. */
export const trustedNetworksTopic = defineTopic<null, TrustedNetworks>('trusted-networks')

/** The main thread tells all threads of a change. */
export const trustedNetworksChangedTopic = defineTopic<TrustedNetworks, null>('trusted-networks-changed')

/** What is configured: networks, and files with them as they were when they were read. */
export type ConfiguredNetworks = readonly (string | { readonly file: string; readonly networks: readonly string[] })[]

/** All networks that are configured. */
export function networksOf(configured: ConfiguredNetworks): string[] {
  return configured.flatMap((entry) => (typeof entry === 'string' ? [entry] : entry.networks))
}
