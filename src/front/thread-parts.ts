import { Deadlines } from '../http/deadlines.ts'
import { CacheStores } from '../stores/cache-stores.ts'
import { LimitStores } from '../stores/limit-stores.ts'
import { RedisConnection } from '../stores/redis/connection.ts'
import { GuardedApiKeys } from '../stores/redis/guarded-api-keys.ts'
import { type RuntimeWatch, watchRuntime } from '../telemetry/metrics/runtime.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { tellOfDropped } from './dropped-fields.ts'
import type { ToldOfDropped } from './field-guard.ts'
import type { FrontOptions } from './front.ts'
import type { ThreadTools } from './generation.ts'
import type { Readiness } from './own-routes.ts'
import { storeStatuses } from './thread-status.ts'
import { Telemetry } from './telemetry.ts'

/** What a thread has before its first configuration is compiled: what generations are made with, and what tells of it all. */
export class ThreadParts {
  readonly deadlines: Deadlines
  readonly metrics: ThreadMetrics
  readonly telemetry: Telemetry
  /** Null where none is configured. */
  readonly redis: RedisConnection | null
  readonly limits: LimitStores
  readonly toldOfDropped: ToldOfDropped
  readonly tools: ThreadTools
  readiness: Readiness = 'starting'
  private readonly runtime: RuntimeWatch
  private readonly tracing: FrontOptions['tracing']

  constructor(options: FrontOptions) {
    const { config, board, output, answers, threads, clock, random, tracing } = options
    this.tracing = tracing
    this.deadlines = new Deadlines(clock)
    // What is told of what happens here.
    const metrics = new ThreadMetrics(options.announce, clock)
    this.metrics = metrics
    this.runtime = watchRuntime(metrics, options.worker)
    this.telemetry = new Telemetry({ ...options, metrics })
    // Where things are kept.
    const { log } = output
    const { redis } = config.stores
    this.redis = redis === null ? null : new RedisConnection(redis, clock, log, metrics)
    this.limits = new LimitStores({ table: options.limits, redis: this.redis, clock })
    this.toldOfDropped = tellOfDropped(metrics, log)
    this.tools = {
      clock,
      random,
      log,
      metrics,
      deadlines: this.deadlines,
      board,
      threads,
      toldOfDropped: this.toldOfDropped,
      answer: (topic, answer) => answers.on(topic, answer),
      limits: this.limits,
      caches: new CacheStores({ threads: options.size, connection: this.redis, clock, log }),
      apiKeys: this.redis === null ? null : new GuardedApiKeys(this.redis, log),
      readiness: () => this.readiness,
      stores: () => storeStatuses([this.redis?.troubles ?? null]),
    }
  }

  async close(): Promise<void> {
    this.telemetry.close()
    this.redis?.close()
    this.deadlines.close()
    this.runtime.stop()
    await this.tracing.close()
  }
}
