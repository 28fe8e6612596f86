import { defineTopic } from './threads.ts'

/** Current content of the network files that the configuration names. */
export interface NetworkFileContents {
  /** Increases with each change. */
  readonly version: number
  /** File -> addresses and networks in CIDR notation. */
  readonly files: Readonly<Record<string, readonly string[]>>
}

/** Used by threads to ask the main thread for the current content of the network files. */
export const networksTopic = defineTopic<null, NetworkFileContents>('networks')

/** Used by the main thread to notify all threads of a change. */
export const networksChangedTopic = defineTopic<NetworkFileContents, null>('networks-changed')

/** Configured networks, and network files with their content as of when the configuration was loaded. */
export type ConfiguredNetworks = readonly (string | NetworkFile)[]

/** A network file, and its content as of when the configuration was loaded. */
export interface NetworkFile {
  readonly file: string
  readonly networks: readonly string[]
}

/** Whether some of the networks come from files, whose content can change. */
export function hasNetworkFiles(configured: ConfiguredNetworks): boolean {
  return configured.some((entry) => typeof entry !== 'string')
}

/** All configured networks; for files, their current content if known. */
export function networksOf(configured: ConfiguredNetworks, files: NetworkFileContents['files']): string[] {
  return configured.flatMap((entry) => (typeof entry === 'string' ? [entry] : (files[entry.file] ?? entry.networks)))
}
