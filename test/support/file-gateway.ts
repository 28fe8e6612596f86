import type { TestContext } from 'node:test'
import { ConfigError } from '../../src/config/problems.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { TopicHandlers } from '../../src/core/threads.ts'
import { version } from '../../src/core/version.ts'
import { type ConfigurationReader, FileGateway } from '../../src/commands/file-gateway.ts'
import { logWarnings } from '../../src/config/log-warnings.ts'
import { policies } from '../../src/policies/index.ts'
import { InlineFleet } from '../../src/runtime/inline-fleet.ts'
import type { Outcome } from '../../src/runtime/reloads.ts'
import { startTracing } from '../../src/telemetry/tracing.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import type { ReadConfig } from '../../src/workers/read-config.ts'
import { tryConfiguration } from '../../src/workers/try-configuration.ts'
import { type AdminAnswer, type AdminAsk, requestAdmin } from './admin.ts'
import { cleanUp } from './cleanup.ts'
import { temporaryFile, withDefaults } from './command.ts'
import { TestLog } from './gateway.ts'

/** A gateway in this process with a configuration file. */
export interface FromFile {
  readonly file: string
  readonly port: number
  /** That of its admin listener; 0 if there is none. */
  readonly adminPort: number
  readonly log: TestLog
  /** Sends a request to its admin listener. */
  readonly ask: (path: string, what?: AdminAsk) => Promise<AdminAnswer>
  /** The body of its reply to clients. */
  readonly answer: () => Promise<string>
  /** Like SIGHUP. */
  readonly reload: () => Promise<Outcome>
  /** Like SIGTERM. */
  readonly stop: () => Promise<void>
}

export interface FromFileOptions {
  readonly clock?: Clock
  /** Like --watch. */
  readonly watch?: boolean
}

/** Like `startFromFile`, with a new file of that YAML and the defaults of `start`. */
export async function startFromText(t: TestContext, yaml: string, options?: FromFileOptions): Promise<FromFile> {
  return startFromFile(t, await temporaryFile(t, 'sallyport.yaml', withDefaults(yaml)), options)
}

/**
 * Does what `sallyport start` does, in this process and thread, until the end of the test: it reads its file, reloads it, watches it, and
 * lets operators replace it. Without custom policies.
 */
export async function startFromFile(
  t: TestContext,
  file: string,
  { clock = systemClock, watch = false }: FromFileOptions = {},
): Promise<FromFile> {
  const reader = readerOf(file)
  const log = new TestLog(clock)
  const read = await reader.read(null, new AbortController().signal)
  logWarnings(read.warnings, log.log)
  const parts = { output: log, clock, random: () => 0.5, answers: new TopicHandlers(log.log) }
  const tracing = await startTracing({}, version, log.log, clock)
  const gateway = new FileGateway({
    ...parts,
    file,
    first: { read, refused: null, files: read.files },
    reader,
    stateDir: null,
    watch,
    fleet: new InlineFleet({ ...parts, policies: () => policies, tracing }),
    policies: async () => policies,
  })
  await gateway.start()
  let stopped: Promise<boolean> | null = null
  const stop = async (): Promise<void> => {
    stopped ??= gateway.stop()
    if (clock instanceof ManualClock) clock.advance(60_000)
    await stopped
  }
  cleanUp(t, stop)
  const { addresses, adminAddress } = gateway.process
  const { port } = addresses[0]!
  const adminPort = adminAddress?.port ?? 0
  return {
    file,
    port,
    adminPort,
    log,
    ask: (path, what) => requestAdmin(adminPort, path, what),
    answer: async () => (await fetch(`http://127.0.0.1:${port}/`)).text(),
    reload: () => gateway.reload(),
    stop,
  }
}

/** Reads in this thread, which nothing in a test blocks or ends. */
function readerOf(file: string): ConfigurationReader {
  return {
    async read(instead): Promise<ReadConfig> {
      const reading = await tryConfiguration({ file, instead, against: null })
      if (reading.type === 'refused') throw new ConfigError(reading.problems, reading.files)
      if (reading.type !== 'read') throw new Error(`${file} was compared, and not read`)
      if (reading.unusable === null) return reading
      throw new ConfigError([{ path: '', message: reading.unusable }], reading.files)
    },
    async compare(instead, against) {
      const reading = await tryConfiguration({ file, instead, against })
      if (reading.type === 'refused') throw new ConfigError(reading.problems, reading.files)
      if (reading.type === 'compared') return reading.plan
      throw new Error(`${file} was read, and not compared`)
    },
  }
}
