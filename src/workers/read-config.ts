import { Worker } from 'node:worker_threads'
import type { PlanDocument } from '../config/plan/plan-document.ts'
import type { OwnCode } from '../config/plan/side.ts'
import type { LoadedCode } from '../config/loaded-code.ts'
import { ConfigError, type Problem } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Warning } from '../config/warnings.ts'

/** How long reading may take, in milliseconds: code of the user's own runs meanwhile, which may never come to its end. */
const PATIENCE = 60_000

/** Megabytes of its heap for what is new, a third of what V8 takes by itself: the process takes 45 MB less at the most, and no more time. */
const YOUNG = 16

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
  /** Policies of the user's own, as they were. */
  readonly code: readonly OwnCode[]
  /** The code of those policies as it was loaded; none of it where it is too much to keep. */
  readonly modules: LoadedCode
}

/** What comes of reading a configuration. */
export type Reading =
  | ({ readonly type: 'read' } & ReadConfig)
  | { readonly type: 'compared'; readonly plan: PlanDocument }
  | { readonly type: 'refused'; readonly problems: readonly Problem[]; readonly files: ReadonlyMap<string, string> }

/** What is to be read. */
export interface ToRead {
  readonly file: string
  /** A YAML text in place of what the file holds; null for the file. */
  readonly instead: string | null
  /** Compares it with that, where there is one. */
  readonly against: InForce | null
}

/** A configuration that is running. */
export type InForce = Pick<ReadConfig, 'config' | 'code' | 'modules'>

/**
 * Reads a configuration file and makes its policies, to be thrown away: what cannot be made is known before anything
 * listens. Done in a thread of its own, which takes along what it has loaded for that: schemas, the parser of YAML,
 * policies of the user's own. `instead` is a YAML text that is taken in place of what the file holds. Rejects with
 * ConfigError, which names the files too, and once `stopping` says that nobody wants it any more.
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
 * Reads a configuration like `readConfig`, and says what would be different if it took the place of the running one. Rejects with
 * ConfigError where it is refused.
 */
export async function comparedConfig(file: string, instead: string | null, against: InForce): Promise<PlanDocument> {
  const { config, code, modules } = against
  const reading = await inThread({ file, instead, against: { config, code, modules } })
  if (reading.type === 'compared') return reading.plan
  throw new Error(`${file} was read, and not compared`)
}

async function inThread(
  asked: ToRead,
  stopping?: AbortSignal,
): Promise<Exclude<Reading, { readonly type: 'refused' }>> {
  const { file } = asked
  const timeout = AbortSignal.timeout(PATIENCE)
  const givenUp = stopping === undefined ? timeout : AbortSignal.any([timeout, stopping])
  if (givenUp.aborted) throw unread(file, false)
  // The running file says how it is written: TypeScript in a checkout, JavaScript once published.
  const program = import.meta.url.endsWith('.ts') ? './reading.ts' : './reading.js'
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG }
  const thread = new Worker(new URL(program, import.meta.url), { name: 'configuration', resourceLimits })
  thread.postMessage(asked)
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
  if (!late) return new Error(`${file} was not read to the end, as the gateway is stopping`)
  const time = `${PATIENCE / 1000} seconds`
  return new Error(
    `${file} was not read within ${time}: a policy of your own may be in a loop, or wait as it is loaded`,
  )
}
