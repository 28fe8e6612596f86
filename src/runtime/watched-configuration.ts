import { ConfigError } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { fileDigest } from '../core/file-digest.ts'
import type { Logger } from '../core/logger.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import { NOBODY, originOf } from './origin.ts'
import type { Reload } from './reloads.ts'

/** The source of a configuration: absolute paths, and digests of the files' content. */
interface FromFiles {
  readonly files: ReadonlyMap<string, string>
}

/** What is running after a reload, whatever its result. */
interface InForce {
  readonly applied: { readonly config: GatewayConfig }
}

export interface WatchedConfigurationOptions<Read extends FromFiles, Outcome extends InForce> {
  /** Reads the configuration from its file. Rejects with a ConfigError if it is invalid. */
  readonly read: () => Promise<Read>
  /** Replaces the running configuration with the one that is read. Never rejects. */
  readonly reload: (read: () => Promise<Read>, how: Omit<Reload, 'back'>) => Promise<Outcome>
  readonly files: FileWatcher
  /** Files of the initial configuration: absolute paths, and digests of their content. */
  readonly first: ReadonlyMap<string, string>
  /** Whether the file is watched while that configuration is running. */
  readonly watches: (config: GatewayConfig) => boolean
  readonly log: Logger
}

/** The configuration file of a running gateway, which is reloaded on request, or whenever the file or one that it names changes. */
export class WatchedConfiguration<Read extends FromFiles, Outcome extends InForce> {
  private readonly options: WatchedConfigurationOptions<Read, Outcome>
  /** The files that were read last, whether or not the configuration was applied. */
  private known: ReadonlyMap<string, string>
  private watched: ReadonlyMap<string, string> = new Map()
  private stopWatching: (() => void) | null = null
  private stopped = false
  /** Reloads that have not started reading, keyed by whether they are forced; concurrent callers share them. */
  private readonly waiting = new Map<boolean, Promise<Outcome>>()
  /** The reload that was requested last. */
  private last: Promise<unknown> = Promise.resolve()
  private looking: Promise<void> | null = null
  private again = false

  constructor(options: WatchedConfigurationOptions<Read, Outcome>) {
    this.options = options
    this.known = options.first
  }

  /** Starts watching, with that configuration running. */
  start(config: GatewayConfig): void {
    this.follow(config)
  }

  /**
   * Reloads the configuration, or joins a pending reload that has not started reading. `force` also accepts a file that looks incomplete.
   */
  reload(force = false, asker = NOBODY): Promise<Outcome> {
    const waiting = this.waiting.get(force)
    if (waiting !== undefined) return waiting
    let begun = false
    const outcome = this.reloadOnce({ force, origin: originOf('reloaded', asker) }, () => {
      begun = true
      this.waiting.delete(force)
    })
    if (!begun) this.waiting.set(force, outcome)
    return outcome
  }

  /** Reads the file after the gateway itself has written it. */
  reread(): Promise<Outcome> {
    return this.reloadOnce({ force: true, own: true }, () => {})
  }

  private reloadOnce(how: Omit<Reload, 'back'>, begins: () => void): Promise<Outcome> {
    const outcome = this.readOnce(how, begins)
    this.last = outcome
    return outcome
  }

  private async readOnce(how: Omit<Reload, 'back'>, begins: () => void): Promise<Outcome> {
    const { read, reload } = this.options
    const outcome = await reload(async () => {
      begins()
      try {
        const fresh = await read()
        this.known = fresh.files
        return fresh
      } catch (error) {
        if (error instanceof ConfigError && error.files.size > 0) this.known = error.files
        throw error
      }
    }, how)
    this.follow(outcome.applied.config)
    return outcome
  }

  /** Resolves when no check of the files is in progress and its consequences are complete. */
  async settled(): Promise<void> {
    while (this.looking !== null) await this.looking
  }

  stop(): void {
    this.stopped = true
    this.stopWatching?.()
  }

  /** Watches the files that were read last. */
  private follow(config: GatewayConfig): void {
    const before = this.stopWatching
    const next = !this.stopped && this.options.watches(config) ? this.known : new Map<string, string>()
    if ([...next.keys()].join('\n') === [...this.watched.keys()].join('\n')) return
    const { files } = this.options
    this.stopWatching = next.size === 0 ? null : files.watch([...next.keys()], () => this.look())
    // Only now, so that files of both configurations are watched without a gap.
    before?.()
    this.watched = next
    // Picks up changes made after reading and before watching started.
    this.look()
  }

  /** Runs one check at a time; changes in the meantime are checked afterwards. */
  private look(): void {
    if (this.looking !== null) {
      this.again = true
      return
    }
    this.looking = this.lookOnce()
      .catch((error: unknown) =>
        this.options.log.error({ error }, 'The files of the configuration could not be checked for changes'),
      )
      .finally(() => {
        this.looking = null
        if (!this.again) return
        this.again = false
        this.look()
      })
  }

  private async lookOnce(): Promise<void> {
    // Which files a reload has read is only known after it.
    await this.last
    for (const [path, content] of this.known) {
      if ((await fileDigest(path)) === content) continue
      if (!this.stopped && this.watched.has(path)) await this.reload()
      return
    }
  }
}
