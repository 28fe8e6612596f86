import { ConfigError } from '../config/problems.ts'
import { writtenStateDir } from '../config/written-state-dir.ts'
import { messageOf } from '../core/error-facts.ts'
import { LastKnownGood } from '../runtime/last-known-good.ts'
import type { ReadConfig } from '../workers/read-config.ts'
import { CommandError } from './command.ts'
import { problemOfSaving } from './configuration-saver.ts'
import { readUsable } from './read-usable.ts'

/** What a gateway starts with. */
export interface First {
  readonly read: ReadConfig
  /** Why the file was refused, and the file that replaces it; null if it was accepted. */
  readonly refused: { readonly error: ConfigError; readonly instead: string } | null
  /** The files that were read: the configuration file and those that it names. */
  readonly files: ReadonlyMap<string, string>
}

/**
 * Reads the configuration that a gateway starts with: its file or, if that is refused, the text last kept in `stateDir` or in the folder
 * that the file names. Rejects with ConfigError if neither can be used, with CommandError if the configuration could not be kept.
 */
export async function readFirst(file: string, stateDir: string | null): Promise<First> {
  const first = await read(file, stateDir)
  const problem = problemOfSaving(first.read, stateDir)
  if (problem !== null) throw new CommandError(problem)
  return first
}

async function read(file: string, stateDir: string | null): Promise<First> {
  try {
    const usable = await readUsable(file)
    return { read: usable, refused: null, files: usable.files }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const folder = stateDir ?? writtenStateDir(file, process.env)
    const lastKnownGood = folder === null ? null : new LastKnownGood(folder)
    const text = lastKnownGood?.latest() ?? null
    if (lastKnownGood === null || text === null) throw error
    return {
      read: await readKept(file, text, lastKnownGood.file, error),
      refused: { error, instead: lastKnownGood.file },
      files: error.files,
    }
  }
}

async function readKept(file: string, text: string, place: string, { problems }: ConfigError): Promise<ReadConfig> {
  try {
    return await readUsable(file, text)
  } catch (error) {
    const reason = messageOf(error)
    const message = `the last good configuration, saved in ${place}, cannot be used either:\n${reason}`
    throw new ConfigError([...problems, { path: '', message }])
  }
}
