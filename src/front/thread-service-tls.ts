import type { GatewayConfig } from '../config/schema.ts'
import type { Answers, Threads } from '../core/threads.ts'
import type { Service } from '../services/service.ts'
import { type ChangedTls, serviceTlsChangedTopic, serviceTlsTopic } from '../tls/service-tls-topic.ts'

export interface ThreadServiceTlsOptions {
  readonly config: GatewayConfig
  readonly services: ReadonlyMap<string, Service>
  readonly answers: Answers
  readonly threads: Threads
}

/** Has one thread connect to services as the main thread says, which reads the files. */
export class ThreadServiceTls {
  private readonly options: ThreadServiceTlsOptions
  private version = 0

  constructor(options: ThreadServiceTlsOptions) {
    this.options = options
    options.answers.on(serviceTlsChangedTopic, (changed) => {
      this.use(changed)
      return null
    })
  }

  /** Learns what has changed since the configuration was loaded. */
  async prepare(): Promise<void> {
    const { config, threads } = this.options
    if (Object.values(config.services).every(({ tls }) => tls === undefined)) return
    for (const changed of await threads.askAll(serviceTlsTopic, null)) this.use(changed)
  }

  private use({ version, services }: ChangedTls): void {
    if (version <= this.version) return
    this.version = version
    for (const [name, tls] of Object.entries(services)) this.options.services.get(name)?.tls?.exchange(tls)
  }
}
