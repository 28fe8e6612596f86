import { ConfigError } from '../config/problems.ts'
import { type ReadConfig, readConfig } from '../workers/read-config.ts'

/**
 * Reads a configuration that a gateway can go by, from its file, or from a YAML text in place of that. Rejects with
 * ConfigError, also where a policy cannot be made of its options.
 */
export async function readUsable(file: string, instead: string | null = null): Promise<ReadConfig> {
  const read = await readConfig(file, instead)
  if (read.unusable === null) return read
  throw new ConfigError([{ path: '', message: read.unusable }], read.files)
}
