import { ConfigError } from '../config/problems.ts'
import { type ReadConfig, readConfig } from '../workers/read-config.ts'

/**
 * Reads a configuration that a gateway can go by, from its file, or from a YAML text in place of that. Rejects with
 * ConfigError, also where a policy cannot be made of its options; and once `stopping` says that nobody wants it any more.
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
