import { hash } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type Holder, Shared } from '../core/shared.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import type { RedisConfig } from '../redis/client.ts'
import { RedisConnection } from '../redis/connection.ts'
import type { ApiKeys } from './auth/api-key/api-key-store.ts'
import { GuardedApiKeys } from './auth/api-key/redis/guarded-api-keys.ts'
import { CacheStores } from './cache/cache-stores.ts'
import { SeenReplies } from './cache/seen-replies.ts'
import { DryRepeats } from './idempotency/dry-repeats.ts'
import { OpenRepeats } from './idempotency/repeat-stores.ts'
import type { PolicyToolbox } from './policy.ts'
import type { ProcessStores } from './process-stores.ts'
import { DryLimits } from './rate-limit/dry-limits.ts'
import { LimitStores } from './rate-limit/limit-stores.ts'
import {
  forgetClient,
  forgetClientTopic,
  limitStates,
  limitStatesTopic,
  nearClients,
  nearClientsTopic,
} from './rate-limit/limit-states.ts'
import type { StoreTools } from './store-tools.ts'

/** What Redis is used for, by the names shown in the log and to operators. */
export const redisUses = ['limits', 'keys', 'cache', 'idempotency']

/** How long to wait for a new connection to Redis, in milliseconds. */
const TIMEOUT = 1000

/** The Redis connections of a thread, by connection options. */
const connections = new Shared<RedisConnection>()

/** What a thread provides to the stores of its configurations. */
export interface ThreadStoreTools {
  /** What all threads of the process share. */
  readonly processStores: ProcessStores
  /** Number of threads that handle requests. */
  readonly size: number
  /** Index of this thread among them. */
  readonly worker: number
  /** All threads, for sending questions to them. */
  readonly threads: Threads
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** The stores as passed to policies. */
export type OfPolicies = Pick<PolicyToolbox, 'limits' | 'caches' | 'repeats' | 'apiKeys' | 'storesKey'>

/** The stores of one configuration in one thread. */
export class GenerationStores {
  readonly limits: LimitStores
  readonly caches: CacheStores
  readonly repeats: OpenRepeats
  readonly apiKeys: ApiKeys | null
  /** Null if Redis is not configured. */
  readonly redis: RedisConnection | null
  /** Distinguishes them from the stores of another configuration. */
  readonly key: string
  private readonly isNew: boolean
  private readonly opening: Promise<unknown>[] = []

  constructor(redis: RedisConfig | null, holder: Holder, thread: ThreadStoreTools) {
    const { processStores, size, worker, threads, clock, log, metrics } = thread
    const { opening } = this
    // A digest, as the options contain a password.
    this.key = redis === null ? 'memory' : `redis ${hash('sha256', JSON.stringify(redis), 'base64url')}`
    let isNew = false
    const connect = (options: RedisConfig): RedisConnection =>
      connections.get(holder, this.key, () => {
        isNew = true
        return new RedisConnection(options, { clock, log, threads }, metrics)
      })
    this.redis = redis === null ? null : connect(redis)
    this.isNew = isNew
    const { redis: connection } = this
    const process = { process: processStores, redis: connection, threads: size, allThreads: threads }
    const tools: StoreTools = { ...process, worker, opening, clock, log }
    this.limits = new LimitStores(tools)
    this.caches = new CacheStores(tools)
    this.repeats = new OpenRepeats(tools)
    this.apiKeys = this.redis === null ? null : new GuardedApiKeys(this.redis, log)
  }

  /** The stores as passed to policies. */
  get ofPolicies(): OfPolicies {
    const { limits, caches, repeats, apiKeys, key } = this
    return { limits, caches, repeats, apiKeys, storesKey: key }
  }

  /**
   * Resolves when the stores are ready, or when the wait for a new Redis connection has timed out; a connection already in use is
   * not waited for. Rejects with an Error if there is not enough memory for a store.
   */
  async opened(): Promise<void> {
    await Promise.all(this.opening)
    if (this.isNew) await this.redis?.connected(TIMEOUT)
  }
}

/** Answers the questions of operators about the stores of the current configuration. */
export function answerOperators(answers: TopicHandlers, current: () => GenerationStores): void {
  answers.on(limitStatesTopic, (client) => limitStates(current().limits, client))
  answers.on(nearClientsTopic, (share) => nearClients(current().limits, share))
  answers.on(forgetClientTopic, (client) => forgetClient(current().limits, client))
}

/**
 * Stores for policies that are only created to check a configuration: they are never used, and are always in memory, whatever the
 * options say.
 */
export function storesToTry(
  redis: RedisConfig | null,
  shared: Omit<StoreTools, 'redis' | 'threads' | 'worker' | 'opening'>,
): OfPolicies {
  const tools = { ...shared, threads: 1, worker: 0, opening: [] }
  const limits = new LimitStores({ ...tools, redis: null })
  const caches = new CacheStores({ ...tools, redis: null })
  const repeats = new OpenRepeats({ ...tools, redis: null })
  return {
    limits: {
      meter: (limit) => limits.localMeter(limit),
      localMeter: (limit) => limits.localMeter(limit),
      watch: (limit) => limits.watch(limit, 'memory'),
    },
    caches: {
      preferred: 'memory',
      isShared: () => false,
      make: (_, ...sizes) => caches.make('memory', ...sizes),
    },
    repeats: { preferred: 'memory', store: (_, metrics) => repeats.store('memory', metrics) },
    apiKeys: redis === null ? null : { find: nobody },
    storesKey: 'memory',
  }
}

/** The same stores for policies in a dry run: they look up and decide, but nothing is counted or stored. */
export function dryStores({ limits, caches, repeats, apiKeys, storesKey }: OfPolicies): OfPolicies {
  return {
    limits: new DryLimits(limits),
    caches: {
      preferred: caches.preferred,
      isShared: (name) => caches.isShared(name),
      make: () => new SeenReplies(() => []),
    },
    repeats: new DryRepeats(repeats),
    apiKeys,
    storesKey,
  }
}

function nobody(): never {
  throw new Error('other threads cannot be asked before the gateway has started')
}
