import type { GatewayConfig } from '../config/schema.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import {
  type NetworkFileContents,
  hasNetworkFiles,
  networksChangedTopic,
  networksOf,
  networksTopic,
} from '../core/network-file-contents.ts'
import { TrustedProxies, type TrustedProxiesOptions } from '../listener/trusted-proxies.ts'

export interface ThreadProxiesOptions {
  readonly config: GatewayConfig
  /** The handlers of this thread. */
  readonly answers: TopicHandlers
  /** Access to all threads. */
  readonly threads: Threads
  /** Called after the trusted proxies, or how they are trusted, have changed. */
  readonly changed: () => void
}

/** The trusted proxies of one thread: from the configuration, and from network files as read by the main thread. */
export class ThreadProxies {
  readonly proxies: TrustedProxies
  private readonly options: ThreadProxiesOptions
  private config: GatewayConfig
  private held: NetworkFileContents = { version: 0, files: {} }

  constructor(options: ThreadProxiesOptions) {
    const { config, answers } = options
    this.options = options
    this.config = config
    this.proxies = new TrustedProxies(networksOf(config.trustedProxies, this.held.files), claimsOf(config))
    answers.on(networksChangedTopic, (held) => {
      this.learn(held)
      return null
    })
  }

  /** Fetches what has changed since the configuration was loaded. */
  async prepare(): Promise<void> {
    if (!hasNetworkFiles(this.config.trustedProxies)) return
    for (const held of await this.options.threads.askAll(networksTopic, null)) this.learn(held)
  }

  /** Applies another configuration, also to the next request of each existing connection. */
  configure(config: GatewayConfig): void {
    this.config = config
    this.proxies.configure(claimsOf(config))
    this.use()
  }

  private learn(held: NetworkFileContents): void {
    if (held.version <= this.held.version) return
    this.held = held
    this.use()
  }

  private use(): void {
    this.proxies.use(networksOf(this.config.trustedProxies, this.held.files))
    this.options.changed()
  }
}

function claimsOf({ forwarding, proxyFields, clientHeader }: GatewayConfig): TrustedProxiesOptions {
  return { forwarding, fields: proxyFields, clientHeader }
}
