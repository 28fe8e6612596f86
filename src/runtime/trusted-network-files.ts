import type { Logger } from '../core/logger.ts'
import { readNetworkList } from '../core/network-list.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import {
  type ConfiguredNetworks,
  networksOf,
  type TrustedNetworks,
  trustedNetworksChangedTopic,
  trustedNetworksTopic,
} from '../listener/trusted-networks.ts'

export interface TrustedNetworkFilesOptions {
  readonly configured: ConfiguredNetworks
  readonly files: FileWatcher
  readonly answers: Answers
  /** All threads, to be told. */
  readonly threads: Threads
  readonly log: Logger
}

/** Reads the files of trusted proxies again when they change, and tells all threads. A bad file leaves what it held before. */
export class TrustedNetworkFiles {
  private readonly options: TrustedNetworkFilesOptions
  private readonly files: readonly string[]
  private current: TrustedNetworks
  private configured: ConfiguredNetworks
  private stopWatching = (): void => {}

  constructor(options: TrustedNetworkFilesOptions) {
    this.options = options
    this.configured = options.configured
    this.current = { version: 0, networks: networksOf(options.configured) }
    this.files = options.configured.flatMap((entry) => (typeof entry === 'string' ? [] : [entry.file]))
    options.answers.on(trustedNetworksTopic, () => this.current)
  }

  /** Watches the files, if there are any, and takes what has changed since they were read. */
  start(): void {
    if (this.files.length === 0) return
    this.stopWatching = this.options.files.watch(this.files, () => this.read())
    this.read()
  }

  stop(): void {
    this.stopWatching()
  }

  private read(): void {
    const { log, threads } = this.options
    this.configured = this.configured.map((entry) => {
      if (typeof entry === 'string') return entry
      const { file } = entry
      try {
        return { file, networks: readNetworkList(file) }
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        log.error({ file, reason }, 'Trusted proxies stay as they were: the file cannot be used')
        return entry
      }
    })
    const networks = networksOf(this.configured)
    if (networks.join() === this.current.networks.join()) return
    this.current = { version: this.current.version + 1, networks }
    void threads
      .askAll(trustedNetworksChangedTopic, this.current)
      .then(() => log.info({ files: this.files, networks: networks.length }, 'Trusted proxies were exchanged'))
  }
}
