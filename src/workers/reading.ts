/** A thread that reads and tries a configuration, tells the main thread what came of it, and is ended by it. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadConfig } from '../config/load.ts'
import { loadChain } from '../config/policy-files.ts'
import { ConfigError } from '../config/problems.ts'
import { warningsOf } from '../config/warnings.ts'
import { tryPolicies } from '../front/try-policies.ts'
import type { Reading } from './read-config.ts'

const port = parentPort
if (port === null) throw new Error('this file is for worker threads')

port.postMessage(await read(String(workerData)))

async function read(file: string): Promise<Reading> {
  try {
    const config = await loadConfig(file, process.env)
    const chain = await loadChain(config.policyFiles)
    const warnings = warningsOf(config, chain)
    try {
      await tryPolicies(config, chain)
    } catch (error) {
      return { type: 'read', config, warnings, unusable: error instanceof Error ? error.message : String(error) }
    }
    return { type: 'read', config, warnings, unusable: null }
  } catch (error) {
    if (error instanceof ConfigError) return { type: 'refused', problems: error.problems }
    throw error
  }
}
