import { ConfigError } from '../config/problems.ts'
import { type ReadConfig, readConfig } from '../workers/read-config.ts'

/**
 * Reads a usable configuration from its file, or from a YAML text instead. Rejects with ConfigError, also if a policy cannot be created
 * from its options, and once `stopping` says that the result is no longer needed.
 */
export async function readUsable(
  file: string,
  instead: string | null = null,
  stopping?: AbortSignal,
): Promise<ReadConfig> {
  const read = await readConfig(file, instead, stopping)
  if (read.unusable === null) return read
  throw new ConfigError([{ path: '', message: read.unusable }], read.files)
}
