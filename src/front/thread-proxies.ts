import type { GatewayConfig } from '../config/schema.ts'
import type { Answers, Threads } from '../core/threads.ts'
import {
  type HeldNetworks,
  namesFiles,
  networksChangedTopic,
  networksOf,
  networksTopic,
} from '../core/held-networks.ts'
import { TrustedProxies, type TrustedProxiesOptions } from '../listener/trusted-proxies.ts'

export interface ThreadProxiesOptions {
  readonly config: GatewayConfig
  /** What this thread answers. */
  readonly answers: Answers
  /** All threads, to be asked. */
  readonly threads: Threads
  /** Told after other proxies are trusted than before, or are believed otherwise. */
  readonly changed: () => void
}

/** Whom one thread trusts: what the configuration says, with what the main thread says of its files, which it reads. */
export class ThreadProxies {
  readonly proxies: TrustedProxies
  private readonly options: ThreadProxiesOptions
  private config: GatewayConfig
  private held: HeldNetworks = { version: 0, files: {} }

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

  /** Learns what has changed since the configuration was loaded. */
  async prepare(): Promise<void> {
    if (!namesFiles(this.config.trustedProxies)) return
    for (const held of await this.options.threads.askAll(networksTopic, null)) this.learn(held)
  }

  /** Goes by another configuration from now on: for the next request of each connection, too. */
  configure(config: GatewayConfig): void {
    this.config = config
    this.proxies.configure(claimsOf(config))
    this.use()
  }

  private learn(held: HeldNetworks): void {
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
