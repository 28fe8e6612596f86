import { ConfigError } from '../config/problems.ts'
import type { Judged } from '../config/refusal.ts'
import type { Logger } from '../core/logger.ts'
import { LastKnownGood, StateFolderError } from '../runtime/last-known-good.ts'
import type { ReadConfig } from '../workers/read-config.ts'

/** Keeps the texts of configurations that are running, where that is wanted: on the command line, or by themselves. */
export class Keeping {
  /** Goes before what configurations say; null for what they say. */
  private readonly folder: string | null
  private readonly log: Logger

  constructor(folder: string | null, log: Logger) {
    this.folder = folder
    this.log = log
  }

  /** The configuration, which can be kept. Throws ConfigError where it cannot. */
  check(read: ReadConfig): ReadConfig {
    const problem = problemOfKeeping(read, this.folder)
    if (problem === null) return read
    throw new ConfigError([{ path: '', message: problem }], read.files)
  }

  /** Keeps the running configuration. What fails is logged. */
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

/** Why a configuration cannot be kept where it is to be, and what to do; null where it can, or is not to be kept. */
export function problemOfKeeping(read: Judged, folder: string | null): string | null {
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
  const kept = folder ?? config.reload.stateDir
  return kept === null ? null : new LastKnownGood(kept)
}
