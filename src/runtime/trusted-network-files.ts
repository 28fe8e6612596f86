import type { GatewayConfig } from '../config/schema.ts'
import { messageOf } from '../core/error-facts.ts'
import type { Logger } from '../core/logger.ts'
import { readNetworkList } from '../core/network-list.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import {
  type ConfiguredNetworks,
  type HeldNetworks,
  networksOf,
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
  private configured: ConfiguredNetworks
  /** What each file holds. */
  private held: Map<string, readonly string[]>
  private version = 0
  private watching = false
  private stopWatching = (): void => {}

  constructor(options: TrustedNetworkFilesOptions) {
    this.options = options
    this.configured = options.configured
    this.held = filesOf(options.configured)
    options.answers.on(trustedNetworksTopic, () => this.current)
  }

  /** Watches the files, if there are any, and takes what has changed since they were read. */
  start(): void {
    this.watching = true
    this.watch()
  }

  stop(): void {
    this.watching = false
    this.stopWatching()
  }

  /** Goes by the files of another configuration from now on, which was read just now. */
  configure({ trustedProxies }: Pick<GatewayConfig, 'trustedProxies'>): void {
    this.configured = trustedProxies
    const before = this.held
    this.held = filesOf(trustedProxies)
    if (!holdSame(before, this.held)) void this.tell()
    if (this.watching) this.watch()
  }

  private get current(): HeldNetworks {
    return { version: this.version, files: Object.fromEntries(this.held) }
  }

  private watch(): void {
    const left = this.stopWatching
    const paths = [...this.held.keys()]
    this.stopWatching = paths.length === 0 ? () => {} : this.options.files.watch(paths, () => this.read())
    // Only now: what both configurations name is watched without a gap.
    left()
    if (paths.length > 0) this.read()
  }

  private read(): void {
    const { log } = this.options
    const before = this.held
    this.held = new Map(before)
    for (const file of before.keys()) {
      try {
        this.held.set(file, readNetworkList(file))
      } catch (error) {
        const reason = messageOf(error)
        log.error({ file, reason }, 'Trusted proxies stay as they were: the file cannot be used')
      }
    }
    if (holdSame(before, this.held)) return
    const networks = networksOf(this.configured, this.current.files).length
    void this.tell().then(() => log.info({ files: [...this.held.keys()], networks }, 'Trusted proxies were exchanged'))
  }

  private tell(): Promise<unknown> {
    this.version++
    return this.options.threads.askAll(trustedNetworksChangedTopic, this.current)
  }
}

function filesOf(configured: ConfiguredNetworks): Map<string, readonly string[]> {
  return new Map(configured.flatMap((entry) => (typeof entry === 'string' ? [] : [[entry.file, entry.networks]])))
}

function holdSame(one: ReadonlyMap<string, readonly string[]>, other: ReadonlyMap<string, readonly string[]>): boolean {
  return one.size === other.size && [...one].every(([file, networks]) => other.get(file)?.join() === networks.join())
}
