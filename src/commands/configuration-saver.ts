import { ConfigError } from '../config/problems.ts'
import type { Judged } from '../config/refusal.ts'
import type { Logger } from '../core/logger.ts'
import { LastKnownGood, StateFolderError } from '../runtime/last-known-good.ts'
import type { ReadConfig } from '../workers/read-config.ts'

/** Keeps the texts of running configurations if that is enabled, on the command line or in the configurations. */
export class ConfigurationSaver {
  /** Takes precedence over the configurations; null to follow them. */
  private readonly folder: string | null
  private readonly log: Logger

  constructor(folder: string | null, log: Logger) {
    this.folder = folder
    this.log = log
  }

  /** Returns the configuration if it can be kept. Throws ConfigError if it cannot. */
  check(read: ReadConfig): ReadConfig {
    const problem = problemOfSaving(read, this.folder)
    if (problem === null) return read
    throw new ConfigError([{ path: '', message: problem }], read.files)
  }

  /** Keeps the running configuration. Failures are logged. */
  async keep(inForce: Judged): Promise<void> {
    const { text } = inForce
    const keeper = keeperOf(inForce, this.folder)
    if (keeper === null || text === null) return
    await keeper.keep(text).catch((error: unknown) => {
      const message = 'The running configuration could not be saved: a start with a broken file would use an older one'
      this.log.error({ error, folder: keeper.folder }, message)
    })
  }
}

/** Why a configuration cannot be kept in its folder, and what to do; null if it can, or is not to be kept. */
export function problemOfSaving(read: Judged, folder: string | null): string | null {
  const keeper = keeperOf(read, folder)
  if (keeper === null) return null
  if (read.text === null)
    return '--state-dir: only a configuration in YAML can be saved, because what a module imports is not saved with it'
  try {
    keeper.check()
    return null
  } catch (error) {
    if (error instanceof StateFolderError) return error.message
    throw error
  }
}

function keeperOf({ config }: Judged, folder: string | null): LastKnownGood | null {
  const stateDir = folder ?? config.reload.stateDir
  return stateDir === null ? null : new LastKnownGood(stateDir)
}
