/** A thread that reads and tries a configuration, tells the main thread what came of it, and is ended by it. */
import { parentPort } from 'node:worker_threads'
import { loadWhole } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { ReadFiles } from '../config/read-files.ts'
import { sideOf } from '../config/plan/side.ts'
import { revisionOf } from '../config/revision.ts'
import { warningsOf } from '../config/warnings.ts'
import { tryPolicies } from '../front/try-policies.ts'
import type { Reading, ToRead } from './read-config.ts'

const port = parentPort
if (port === null) throw new Error('this file is for worker threads')

port.once('message', (asked: ToRead) => void read(asked).then((reading) => port.postMessage(reading)))

async function read({ file, instead, against }: ToRead): Promise<Reading> {
  const noted = new ReadFiles()
  try {
    const { config, chain, text } = await loadWhole(file, process.env, noted, instead)
    const warnings = warningsOf(config, chain)
    let unusable: string | null = null
    try {
      await tryPolicies(config, chain)
    } catch (error) {
      unusable = error instanceof Error ? error.message : String(error)
    }
    const side = await sideOf(file, config, chain)
    if (against !== null) {
      if (unusable !== null) throw new ConfigError([{ file, path: '', message: unusable }])
      const { comparison } = await import('./comparison.ts')
      return { type: 'compared', plan: await comparison(file, against, side) }
    }
    const revision = revisionOf(config, noted.beside)
    const { code } = side
    return { type: 'read', code, config, warnings, unusable, revision, files: noted.all, text }
  } catch (error) {
    if (error instanceof ConfigError) return { type: 'refused', problems: error.problems, files: noted.all }
    throw error
  }
}
