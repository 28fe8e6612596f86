import { startAdmin } from '../admin/server.ts'
import { isModule } from '../config/is-module.ts'
import type { PlanDocument } from '../config/plan/plan-document.ts'
import type { Clock } from '../core/clock.ts'
import type { TopicHandlers } from '../core/threads.ts'
import type { Fleet } from '../runtime/fleet.ts'
import { GatewayProcess, type GatewayProcessOptions } from '../runtime/gateway-process.ts'
import type { Outcome } from '../runtime/reloads.ts'
import { WatchedConfiguration } from '../runtime/watched-configuration.ts'
import { WrittenConfiguration } from '../runtime/written-configuration.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import type { InForce, ReadConfig } from '../workers/read-config.ts'
import { ConfigurationSaver } from './configuration-saver.ts'
import type { First } from './first-configuration.ts'

/** Reads the configuration file, or YAML text instead of its content if that is not null. */
export interface ConfigurationReader {
  /** Rejects with ConfigError, and as soon as `stopping` signals that the result is no longer needed. */
  readonly read: (instead: string | null, stopping: AbortSignal) => Promise<ReadConfig>
  /** The differences if it replaced the running configuration. Rejects with ConfigError. */
  readonly compare: (instead: string | null, against: InForce) => Promise<PlanDocument>
}

export interface FileGatewayOptions {
  readonly file: string
  readonly first: First
  readonly reader: ConfigurationReader
  /** The folder for the last good configuration, which takes precedence over `reload.stateDir`; null to follow that. */
  readonly stateDir: string | null
  /** Whether to watch the file even without `reload.watch`. */
  readonly watch: boolean
  readonly output: LogOutput
  readonly clock: Clock
  readonly random: () => number
  /** The handlers of the main thread. */
  readonly answers: TopicHandlers
  readonly fleet: Fleet
  /** Every policy available to the configuration, in chain order. */
  readonly policies: GatewayProcessOptions['policies']
}

/** A gateway whose configuration is in a file, which it reloads, watches and saves, and which operators may replace. */
export class FileGateway {
  readonly process: GatewayProcess
  private readonly saver: ConfigurationSaver
  private readonly watched: WatchedConfiguration<ReadConfig, Outcome>
  private readonly written: WrittenConfiguration
  private readonly stopping = new AbortController()
  /** The initial configuration until it is saved; null if it was saved already, because the file was refused. */
  private unsaved: ReadConfig | null

  constructor({ file, first, reader, stateDir, watch, ...parts }: FileGatewayOptions) {
    const { clock, output } = parts
    const { log } = output
    const { read: initial, refused, files } = first
    this.saver = new ConfigurationSaver(stateDir, log)
    this.unsaved = refused === null ? initial : null
    const read = async (instead: string | null): Promise<ReadConfig> =>
      this.saver.check(await reader.read(instead, this.stopping.signal))
    this.written = new WrittenConfiguration({
      file,
      isModule: isModule(file),
      reloads: () => this.process.reloads,
      read,
      reload: (fresh, how) => this.process.reload(fresh, how),
      reread: () => this.watched.reread(),
      clock,
      log,
    })
    this.process = new GatewayProcess({
      ...parts,
      first: initial,
      refused: refused?.error ?? null,
      source: {
        file,
        reload: (force, asker) => this.watched.reload(force, asker),
        plan: (text) => reader.compare(text, this.process.reloads.applied),
        written: this.written,
      },
      startOperators: startAdmin,
    })
    this.watched = new WatchedConfiguration({
      read: () => read(null),
      reload: async (fresh, how) => {
        const outcome = await this.process.reload(fresh, how)
        if (outcome.outcome !== 'refused') await this.saver.keep(outcome.applied)
        return outcome
      },
      files: this.process.scope.files,
      first: files,
      watches: ({ reload }) => watch || reload.watch,
      log,
    })
  }

  /** Resolves when it listens, and its configuration is saved and watched. If it rejects, nothing is left running. */
  async start(): Promise<void> {
    await this.process.start()
    if (this.unsaved !== null) await this.saver.keep(this.unsaved)
    this.unsaved = null
    this.watched.start(this.process.scope.config)
  }

  /** Reads the file again. Never rejects. */
  reload(): Promise<Outcome> {
    return this.watched.reload()
  }

  /** Like `GatewayProcess.stop`; an unconfirmed configuration ends with it. */
  stop(): Promise<boolean> {
    this.watched.stop()
    this.stopping.abort()
    this.written.stop()
    return this.process.stop()
  }
}
