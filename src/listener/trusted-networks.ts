import { defineTopic } from '../core/threads.ts'

/** What the files of trusted proxies hold. */
export interface HeldNetworks {
  /** Rises with each change. */
  readonly version: number
  /** File -> addresses and networks in CIDR notation. */
  readonly files: Readonly<Record<string, readonly string[]>>
}

/** A thread that starts asks what they hold now; the main thread answers. */
export const trustedNetworksTopic = defineTopic<null, HeldNetworks>('trusted-networks')

/** The main thread tells all threads of a change. */
export const trustedNetworksChangedTopic = defineTopic<HeldNetworks, null>('trusted-networks-changed')

/** What is configured: networks, and files with them as they were when they were read. */
export type ConfiguredNetworks = readonly (string | { readonly file: string; readonly networks: readonly string[] })[]

/** All networks that are configured; of files, those that they hold now, as far as that is known. */
export function networksOf(configured: ConfiguredNetworks, files: HeldNetworks['files']): string[] {
  return configured.flatMap((entry) => (typeof entry === 'string' ? [entry] : (files[entry.file] ?? entry.networks)))
}
