import { ConfigError } from '../config/problems.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { contentOf } from '../core/content-of.ts'
import type { Logger } from '../core/logger.ts'
import type { FileWatcher } from '../core/watch-files.ts'

/** What a configuration was read from: absolute paths, and digests of what the files held. */
interface FromFiles {
  readonly files: ReadonlyMap<string, string>
}

/** What is running after a reload, whatever became of it. */
interface InForce {
  readonly applied: { readonly config: GatewayConfig }
}

export interface WatchedConfigurationOptions<Read extends FromFiles, Outcome extends InForce> {
  /** Reads the configuration from its file. Rejects with a ConfigError where it is none. */
  readonly read: () => Promise<Read>
  /** Has what is read take the place of the running configuration. Never rejects. */
  readonly reload: (read: () => Promise<Read>, force: boolean) => Promise<Outcome>
  readonly files: FileWatcher
  /** What was read first: absolute paths, and digests of what the files held. */
  readonly first: ReadonlyMap<string, string>
  /** Whether the file is watched while that configuration is running. */
  readonly watches: (config: GatewayConfig) => boolean
  readonly log: Logger
}

/**
 * The configuration of a running gateway and its file, which is read anew where that is asked for, or whenever the file or one
 * that it names is another one.
 */
export class WatchedConfiguration<Read extends FromFiles, Outcome extends InForce> {
  private readonly options: WatchedConfigurationOptions<Read, Outcome>
  /** What was read last, whether or not it was taken over. */
  private known: ReadonlyMap<string, string>
  private watched: ReadonlyMap<string, string> = new Map()
  private stopWatching: (() => void) | null = null
  private stopped = false
  /** Reloads that have not begun to read, by whether they are forced: who asks meanwhile asks for the same. */
  private readonly waiting = new Map<boolean, Promise<Outcome>>()
  private looking: Promise<void> | null = null
  private again = false

  constructor(options: WatchedConfigurationOptions<Read, Outcome>) {
    this.options = options
    this.known = options.first
  }

  /** Begins to watch, with that configuration running. */
  start(config: GatewayConfig): void {
    this.follow(config)
  }

  /**
   * Reads the configuration anew, or has the result of such a reload that has not begun. `force` also takes over what looks as
   * if the file were not written to its end.
   */
  reload(force = false): Promise<Outcome> {
    const waiting = this.waiting.get(force)
    if (waiting !== undefined) return waiting
    let begun = false
    const outcome = this.reloadOnce(force, () => {
      begun = true
      this.waiting.delete(force)
    })
    if (!begun) this.waiting.set(force, outcome)
    return outcome
  }

  private async reloadOnce(force: boolean, begins: () => void): Promise<Outcome> {
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
    }, force)
    this.follow(outcome.applied.config)
    return outcome
  }

  /** Resolves once no look at the files is under way, and what followed from it has been done. */
  async looked(): Promise<void> {
    while (this.looking !== null) await this.looking
  }

  stop(): void {
    this.stopped = true
    this.stopWatching?.()
  }

  /** Watches what was read last. */
  private follow(config: GatewayConfig): void {
    const before = this.stopWatching
    const wanted = !this.stopped && this.options.watches(config) ? this.known : new Map<string, string>()
    if ([...wanted.keys()].join('\n') === [...this.watched.keys()].join('\n')) return
    const { files } = this.options
    this.stopWatching = wanted.size === 0 ? null : files.watch([...wanted.keys()], () => this.look())
    // Afterwards, so that what is in both stays watched.
    before?.()
    this.watched = wanted
    // What has changed since it was read, before anybody watched.
    this.look()
  }

  /** One look at a time; what happens meanwhile is looked at after it. */
  private look(): void {
    if (this.looking !== null) {
      this.again = true
      return
    }
    this.looking = this.lookOnce()
      .catch((error: unknown) =>
        this.options.log.error({ error }, 'The files of the configuration could not be looked at'),
      )
      .finally(() => {
        this.looking = null
        if (!this.again) return
        this.again = false
        this.look()
      })
  }

  private async lookOnce(): Promise<void> {
    for (const [path, content] of this.known) {
      if ((await contentOf(path)) === content) continue
      if (!this.stopped && this.watched.has(path)) await this.reload()
      return
    }
  }
}
