import type { GatewayConfig } from '../config/schema.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { CurrentService } from '../services/current-service.ts'
import { areOfSame, type ChangedTls, serviceTlsChangedTopic, serviceTlsTopic } from '../tls/service-tls-topic.ts'

export interface ThreadServiceTlsOptions {
  readonly config: GatewayConfig
  /** The services of the generation in effect. */
  readonly services: ReadonlyMap<string, CurrentService>
  readonly answers: TopicHandlers
  readonly threads: Threads
}

/** Keeps one thread's TLS options for services current, with files as read by the main thread. */
export class ThreadServiceTls {
  private readonly threads: Threads
  private config: GatewayConfig
  private services: ReadonlyMap<string, CurrentService>
  private changed: ChangedTls = { version: 0, services: {} }

  constructor({ config, services, answers, threads }: ThreadServiceTlsOptions) {
    this.threads = threads
    this.config = config
    this.services = services
    answers.on(serviceTlsChangedTopic, (changed) => {
      this.learn(changed)
      return null
    })
  }

  /** Fetches what has changed since the configuration was loaded. */
  async prepare(): Promise<void> {
    if (Object.values(this.config.services).every(({ tls }) => tls === undefined)) return
    for (const changed of await this.threads.askAll(serviceTlsTopic, null)) this.learn(changed)
  }

  /** Applies to the services of another configuration, once its generation has taken over. */
  configure(config: GatewayConfig, services: ReadonlyMap<string, CurrentService>): void {
    this.config = config
    this.services = services
    this.use()
  }

  /** Reapplies the known file content after instances have changed. */
  renew(): void {
    this.use()
  }

  private learn(changed: ChangedTls): void {
    if (changed.version <= this.changed.version) return
    this.changed = changed
    this.use()
  }

  /** Content read for another configuration is usable if it names the same files. */
  private use(): void {
    for (const [name, held] of Object.entries(this.changed.services)) {
      const tls = this.config.services[name]?.tls
      if (tls === undefined || !areOfSame(tls, held)) continue
      const { ca, cert, key } = held
      this.services.get(name)?.current.exchangeTls({ ...tls, ca, cert, key })
    }
  }
}
