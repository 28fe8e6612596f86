import type { GatewayConfig } from '../config/schema.ts'
import type { Answers, Threads } from '../core/threads.ts'
import {
  networksOf,
  type TrustedNetworks,
  trustedNetworksChangedTopic,
  trustedNetworksTopic,
} from '../listener/trusted-networks.ts'
import { TrustedProxies } from '../listener/trusted-proxies.ts'

export interface ThreadProxiesOptions {
  readonly config: GatewayConfig
  /** What this thread answers. */
  readonly answers: Answers
  /** All threads, to be asked. */
  readonly threads: Threads
  /** Told after other proxies are trusted than before. */
  readonly changed: () => void
}

/** Whom one thread trusts: what the main thread says, which reads the files. */
export class ThreadProxies {
  readonly proxies: TrustedProxies
  private readonly options: ThreadProxiesOptions
  private version = 0

  constructor(options: ThreadProxiesOptions) {
    const { config, answers } = options
    this.options = options
    this.proxies = new TrustedProxies(networksOf(config.trustedProxies), {
      forwarding: config.forwarding,
      fields: config.proxyFields,
      clientHeader: config.clientHeader,
    })
    answers.on(trustedNetworksChangedTopic, (trusted) => {
      this.use(trusted)
      return null
    })
  }

  /** Learns what has changed since the configuration was loaded. */
  async prepare(): Promise<void> {
    const { config, threads } = this.options
    if (config.trustedProxies.every((entry) => typeof entry === 'string')) return
    for (const trusted of await threads.askAll(trustedNetworksTopic, null)) this.use(trusted)
  }

  private use({ version, networks }: TrustedNetworks): void {
    if (version <= this.version) return
    this.version = version
    this.proxies.use(networks)
    this.options.changed()
  }
}
