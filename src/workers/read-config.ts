import { Worker } from 'node:worker_threads'
import { ConfigError, type Problem } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Warning } from '../config/warnings.ts'

/** A configuration that is as it should be. */
export interface ReadConfig {
  readonly config: GatewayConfig
  readonly warnings: readonly Warning[]
  /** Why a policy cannot be made of its options, or null. */
  readonly unusable: string | null
  /** Names what it means: two with the same revision are the same. */
  readonly revision: string
  /** Every file that was read for it, by its absolute path, with a digest of what it held. */
  readonly files: ReadonlyMap<string, string>
  /** The file as it is written, before variables are put in; null for a module. */
  readonly text: string | null
}

/** What comes of reading a configuration. */
export type Reading =
  | ({ readonly type: 'read' } & ReadConfig)
  | { readonly type: 'refused'; readonly problems: readonly Problem[]; readonly files: ReadonlyMap<string, string> }

/**
 * Reads a configuration file and makes its policies, to be thrown away: what cannot be made is known before anything
 * listens. Done in a thread of its own, which takes along what it has loaded for that: schemas, the parser of YAML,
 * policies of the user's own. `instead` is a YAML text that is taken in place of what the file holds. Rejects with
 * ConfigError, which names the files too.
 */
export async function readConfig(file: string, instead: string | null = null): Promise<ReadConfig> {
  // The running file says how it is written: TypeScript in a checkout, JavaScript once published.
  const program = import.meta.url.endsWith('.ts') ? './reading.ts' : './reading.js'
  const workerData = { file, instead }
  const thread = new Worker(new URL(program, import.meta.url), { name: 'configuration', workerData })
  const reading = Promise.withResolvers<Reading>()
  thread.once('message', (message: Reading) => reading.resolve(message))
  thread.once('error', reading.reject)
  thread.once('exit', () => reading.reject(new Error(`${file} ended the thread that was reading it`)))
  try {
    const read = await reading.promise
    if (read.type === 'refused') throw new ConfigError(read.problems, read.files)
    return read
  } finally {
    await thread.terminate()
  }
}
