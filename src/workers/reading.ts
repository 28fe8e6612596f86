/** A thread that reads and tries a configuration, tells the main thread what came of it, and is ended by it. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadWhole } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { ReadFiles } from '../config/read-files.ts'
import { revisionOf } from '../config/revision.ts'
import { fieldOf } from '../config/value.ts'
import { warningsOf } from '../config/warnings.ts'
import { tryPolicies } from '../front/try-policies.ts'
import type { Reading } from './read-config.ts'

const port = parentPort
if (port === null) throw new Error('this file is for worker threads')

const given = fieldOf(workerData, 'instead')
port.postMessage(await read(String(fieldOf(workerData, 'file')), typeof given === 'string' ? given : null))

async function read(file: string, instead: string | null): Promise<Reading> {
  const noted = new ReadFiles()
  try {
    const { config, chain, text } = await loadWhole(file, process.env, noted, instead)
    const warnings = warningsOf(config, chain)
    const revision = revisionOf(config, noted.beside)
    let unusable: string | null = null
    try {
      await tryPolicies(config, chain)
    } catch (error) {
      unusable = error instanceof Error ? error.message : String(error)
    }
    return { type: 'read', config, warnings, unusable, revision, files: noted.all, text }
  } catch (error) {
    if (error instanceof ConfigError) return { type: 'refused', problems: error.problems, files: noted.all }
    throw error
  }
}
