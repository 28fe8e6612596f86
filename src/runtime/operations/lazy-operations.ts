import type { Logger } from '../../core/logger.ts'
import type { RunOnReplicas } from '../../core/operation.ts'
import type { RedisConfig } from '../../redis/client.ts'
import type { Operations } from './operations.ts'

/** Loads the operations when Redis is first configured or an operator first makes a request; a gateway with neither does not need them. */
export class LazyOperations {
  private readonly load: () => Promise<Operations>
  private readonly log: Logger
  private loading: Promise<Operations> | null = null
  private redis: RedisConfig | null = null

  constructor(load: () => Promise<Operations>, log: Logger) {
    this.load = load
    this.log = log
  }

  /** Sets the Redis to share with other gateways; null for none. */
  configure(redis: RedisConfig | null): void {
    this.redis = redis
    if (redis === null && this.loading === null) return
    this.loaded().then(
      // The value at that time.
      (operations) => operations.configure(this.redis),
      (error: unknown) =>
        this.log.error({ error }, 'Operations of other gateways cannot be handled: their code could not be loaded'),
    )
  }

  stop(): void {
    this.configure(null)
  }

  readonly everywhere: RunOnReplicas = async (operation, asked) => (await this.loaded()).everywhere(operation, asked)

  private loaded(): Promise<Operations> {
    this.loading ??= this.load().catch((error: unknown) => {
      this.loading = null
      throw error
    })
    return this.loading
  }
}
