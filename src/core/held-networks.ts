import { defineTopic } from './threads.ts'

/** What the files with networks hold that the configuration names. */
export interface HeldNetworks {
  /** Rises with each change. */
  readonly version: number
  /** File -> addresses and networks in CIDR notation. */
  readonly files: Readonly<Record<string, readonly string[]>>
}

/** Whoever goes by such files asks what they hold now; the main thread answers. */
export const networksTopic = defineTopic<null, HeldNetworks>('networks')

/** The main thread tells all threads of a change. */
export const networksChangedTopic = defineTopic<HeldNetworks, null>('networks-changed')

/** What is configured: networks, and files with them as they were when they were read. */
export type ConfiguredNetworks = readonly (string | NetworkFile)[]

/** A file with networks, and what it held when the configuration was loaded. */
export interface NetworkFile {
  readonly file: string
  readonly networks: readonly string[]
}

/** Whether some of the networks are those of files, which change. */
export function namesFiles(configured: ConfiguredNetworks): boolean {
  return configured.some((entry) => typeof entry !== 'string')
}

/** All networks that are configured; of files, those that they hold now, as far as that is known. */
export function networksOf(configured: ConfiguredNetworks, files: HeldNetworks['files']): string[] {
  return configured.flatMap((entry) => (typeof entry === 'string' ? [entry] : (files[entry.file] ?? entry.networks)))
}
