import { networkFileContents } from '../config/network-file-contents.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { messageOf } from '../core/error-facts.ts'
import { type NetworkFileContents, networksChangedTopic, networksTopic } from '../core/network-file-contents.ts'
import type { Logger } from '../core/logger.ts'
import { readNetworkList } from '../core/network-list.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { FileWatcher } from '../core/watch-files.ts'

/** The parts of a configuration that may name network files. */
type NamingConfig = Pick<GatewayConfig, 'trustedProxies' | 'policies' | 'routes'>

export interface NetworkFilesOptions {
  readonly config: NamingConfig
  readonly files: FileWatcher
  readonly answers: TopicHandlers
  /** Access to all threads, for notifications. */
  readonly threads: Threads
  readonly log: Logger
}

/** Reloads network files when they change, and notifies all threads. If a file is invalid, its previous content remains in effect. */
export class NetworkFiles {
  private readonly options: NetworkFilesOptions
  /** The content of each file. */
  private held: ReadonlyMap<string, readonly string[]>
  private version = 0
  private watching = false
  private stopWatching = (): void => {}

  constructor(options: NetworkFilesOptions) {
    this.options = options
    this.held = networkFileContents(options.config)
    options.answers.on(networksTopic, () => this.current)
  }

  /** Watches the files, if there are any, and picks up what has changed since they were read. */
  start(): void {
    this.watching = true
    this.watch()
  }

  stop(): void {
    this.watching = false
    this.stopWatching()
  }

  /** Switches to the files of another configuration, which has just been read. */
  configure(config: NamingConfig): void {
    const before = this.held
    this.held = networkFileContents(config)
    if (before.size !== this.held.size || changedFiles(before, this.held).length > 0) void this.publish()
    if (this.watching) this.watch()
  }

  /** Their current content. */
  get current(): NetworkFileContents {
    return { version: this.version, files: Object.fromEntries(this.held) }
  }

  private watch(): void {
    const left = this.stopWatching
    const paths = [...this.held.keys()]
    this.stopWatching = paths.length === 0 ? () => {} : this.options.files.watch(paths, () => this.read())
    // Only now, so that files of both configurations are watched without a gap.
    left()
    if (paths.length > 0) this.read()
  }

  private read(): void {
    const { log } = this.options
    const before = this.held
    const held = new Map(before)
    for (const file of before.keys()) {
      try {
        held.set(file, readNetworkList(file))
      } catch (error) {
        const reason = messageOf(error)
        log.error({ file, reason }, 'The file of a list of networks cannot be used: the previous list stays in use')
      }
    }
    this.held = held
    const changed = changedFiles(before, held)
    if (changed.length === 0) return
    void this.publish().then(() => {
      for (const file of changed)
        log.info({ file, networks: held.get(file)?.length ?? 0 }, 'A list of networks was replaced')
    })
  }

  private publish(): Promise<unknown> {
    this.version++
    return this.options.threads.askAll(networksChangedTopic, this.current)
  }
}

/** The files whose content has changed or that are new. */
function changedFiles(
  before: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): string[] {
  return [...after].flatMap(([file, networks]) => (before.get(file)?.join() === networks.join() ? [] : [file]))
}
