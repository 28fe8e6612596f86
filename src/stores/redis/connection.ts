import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Metrics } from '../../core/metrics.ts'
import { connectRedis, type RedisClient, type RedisConfig } from './client.ts'
import { Outage } from './outage.ts'

/** One thread's connection to Redis, which everything that is kept there goes through, and whether it answers. */
export class RedisConnection {
  readonly client: RedisClient
  readonly outage: Outage
  private readonly clock: Clock

  constructor(config: RedisConfig, clock: Clock, log: Logger, metrics: Metrics) {
    this.client = connectRedis(config)
    this.outage = new Outage(clock, log, config.timeout, metrics)
    this.clock = clock
  }

  /** Resolves when Redis can be asked, or after `patience` ms. */
  connected(patience: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.client.status === 'ready') return resolve()
      const cancel = this.clock.after(patience, resolve)
      this.client.once('ready', () => {
        cancel()
        resolve()
      })
    })
  }

  close(): void {
    this.outage.close()
    this.client.disconnect()
  }
}
