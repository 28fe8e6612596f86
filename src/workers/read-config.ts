import { Worker } from 'node:worker_threads'
import type { PlanDocument } from '../config/plan/plan-document.ts'
import type { OwnCode } from '../config/plan/side.ts'
import type { LoadedCode } from '../config/loaded-code.ts'
import { ConfigError, type Problem } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Warning } from '../config/warnings.ts'

/** Time limit for reading, in milliseconds: it runs custom code, which may never finish. */
const TIMEOUT = 60_000

/** Young generation of its heap in megabytes, a third of V8's default: reduces the peak memory by 45 MB and takes no more time. */
const YOUNG = 16

/** A valid configuration. */
export interface ReadConfig {
  readonly config: GatewayConfig
  readonly warnings: readonly Warning[]
  /** Why a policy cannot be created from its options, or null. */
  readonly unusable: string | null
  /** Identifies the content: configurations with the same revision are identical. */
  readonly revision: string
  /** Absolute path of every file that was read -> digest of its content. */
  readonly files: ReadonlyMap<string, string>
  /** The text of the file before variables are substituted; null for a module. */
  readonly text: string | null
  /** Custom policies, as of when they were read. */
  readonly code: readonly OwnCode[]
  /** The code of those policies as it was loaded; empty if it is too large to keep. */
  readonly modules: LoadedCode
}

/** The result of reading a configuration. */
export type Reading =
  | ({ readonly type: 'read' } & ReadConfig)
  | { readonly type: 'compared'; readonly plan: PlanDocument }
  | { readonly type: 'refused'; readonly problems: readonly Problem[]; readonly files: ReadonlyMap<string, string> }

/** What is to be read. */
export interface ReadRequest {
  readonly file: string
  /** YAML text to use instead of the file's content; null for the file. */
  readonly instead: string | null
  /** A configuration to compare it with, if any. */
  readonly against: InForce | null
}

/** A running configuration. */
export type InForce = Pick<ReadConfig, 'config' | 'code' | 'modules'>

/**
 * Reads a configuration file and creates its policies, which are discarded: errors are found before anything listens. Runs in a separate
 * thread, whose end frees everything loaded for the purpose: schemas, the YAML parser, custom policies. `instead` is YAML text to use in
 * place of the file's content. Rejects with ConfigError, which also lists the files, and as soon as `stopping` signals that the result is
 * no longer needed.
 */
export async function readConfig(
  file: string,
  instead: string | null = null,
  stopping?: AbortSignal,
): Promise<ReadConfig> {
  const reading = await inThread({ file, instead, against: null }, stopping)
  if (reading.type === 'read') return reading
  throw new Error(`${file} was compared, and not read`)
}

/**
 * Reads a configuration like `readConfig`, and returns the differences if it replaced the running one. Rejects with ConfigError if it is
 * invalid.
 */
export async function comparedConfig(file: string, instead: string | null, against: InForce): Promise<PlanDocument> {
  const { config, code, modules } = against
  const reading = await inThread({ file, instead, against: { config, code, modules } })
  if (reading.type === 'compared') return reading.plan
  throw new Error(`${file} was read, and not compared`)
}

async function inThread(
  request: ReadRequest,
  stopping?: AbortSignal,
): Promise<Exclude<Reading, { readonly type: 'refused' }>> {
  const { file } = request
  const timeout = AbortSignal.timeout(TIMEOUT)
  const givenUp = stopping === undefined ? timeout : AbortSignal.any([timeout, stopping])
  if (givenUp.aborted) throw unread(file, false)
  // Matches the extension of this file: TypeScript in a checkout, JavaScript once published.
  const program = import.meta.url.endsWith('.ts') ? './reading.ts' : './reading.js'
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG }
  const thread = new Worker(new URL(program, import.meta.url), { name: 'configuration', resourceLimits })
  thread.postMessage(request)
  const reading = Promise.withResolvers<Reading>()
  thread.once('message', (message: Reading) => reading.resolve(message))
  thread.once('error', reading.reject)
  thread.once('exit', () => reading.reject(new Error(`${file} ended the thread that was reading it`)))
  const giveUp = (): void => reading.reject(unread(file, timeout.aborted))
  givenUp.addEventListener('abort', giveUp, { once: true })
  try {
    const read = await reading.promise
    if (read.type === 'refused') throw new ConfigError(read.problems, read.files)
    return read
  } finally {
    givenUp.removeEventListener('abort', giveUp)
    await thread.terminate()
  }
}

function unread(file: string, late: boolean): Error {
  if (!late) return new Error(`${file} was not read completely, because the gateway is stopping`)
  const time = `${TIMEOUT / 1000} seconds`
  return new Error(
    `${file} was not read within ${time}: a custom policy may be in a loop, or waiting while it is loaded`,
  )
}
