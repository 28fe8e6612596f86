import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { defineTopic } from '../core/threads.ts'
import type { PoolSize } from '../http/lane.ts'
import type { StoreStatuses } from '../services/health/report.ts'
import type { CurrentService } from '../services/current-service.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { Trouble } from '../redis/outage.ts'

/** One thread's current traffic with an instance. */
export interface InstanceTraffic extends PoolSize {
  /** Requests waiting for a reply or receiving one. */
  readonly inFlight: number
}

/** Status of a thread that handles requests. */
export interface ThreadStatus {
  /** Its number among the workers, from 0. */
  readonly worker: number
  /** Number of its current configuration within this process. */
  readonly generation: number
  /** In seconds. */
  readonly uptime: number
  /** Number of open client connections. */
  readonly connections: number
  /** Bytes used on its JavaScript heap. */
  readonly heap: number
  /** Fraction of its time that it was busy since it started, 0 to 1. */
  readonly busy: number
  /** Service -> instance address -> traffic. */
  readonly services: Readonly<Record<string, Readonly<Record<string, InstanceTraffic>>>>
  /** Current Redis problems; null if Redis is not configured. */
  readonly redis: readonly Trouble[] | null
}

/** Asks every thread that handles requests for its status. */
export const threadStatusTopic = defineTopic<null, ThreadStatus>('thread-status')

/** The status of this thread. */
export function threadStatus(
  worker: number,
  generation: number,
  services: ReadonlyMap<string, CurrentService>,
  connections: number,
  redis: RedisConnection | null,
): ThreadStatus {
  return {
    worker,
    generation,
    uptime: performance.now() / 1000,
    connections,
    heap: getHeapStatistics().used_heap_size,
    busy: performance.eventLoopUtilization().utilization,
    services: Object.fromEntries(
      [...services].map(
        ([
          name,
          {
            current: { instances },
          },
        ]) => [
          name,
          Object.fromEntries(instances.map(({ address, pool, sent }) => [address, { ...pool.size, inFlight: sent }])),
        ],
      ),
    ),
    redis: redis?.troubles ?? null,
  }
}

/** Status of the stores, given the Redis problems of the threads; null if there are no stores other than memory. */
export function storeStatuses(threads: readonly ThreadStatus['redis'][]): StoreStatuses | null {
  const troubles = threads.filter((each) => each !== null)
  if (troubles.length === 0) return null
  return { redis: troubles.every((each) => each.length === 0) ? 'healthy' : 'degraded' }
}
