import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { threadId } from 'node:worker_threads'
import { defineTopic } from '../core/threads.ts'
import type { PoolSize } from '../http/lane.ts'
import type { StoreStatuses } from '../services/health/report.ts'
import type { CurrentService } from '../services/current-service.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { Trouble } from '../redis/outage.ts'

/** What one thread has to do with an instance at the moment. */
export interface InstanceTraffic extends PoolSize {
  /** Requests that wait for a reply, or whose reply is on its way. */
  readonly inFlight: number
}

/** How a thread that serves is doing. */
export interface ThreadStatus {
  /** Number of the thread in the process. */
  readonly thread: number
  /** Number of the configuration that it goes by, among those of this process. */
  readonly generation: number
  /** Seconds. */
  readonly uptime: number
  /** Open client connections. */
  readonly connections: number
  /** Octets on its JavaScript heap. */
  readonly heap: number
  /** Share of its time in which it was busy, 0 to 1, since it began. */
  readonly busy: number
  /** Service -> address of an instance -> what goes on with it. */
  readonly services: Readonly<Record<string, Readonly<Record<string, InstanceTraffic>>>>
  /** What it cannot use Redis for, and why; null where there is no Redis. */
  readonly redis: readonly Trouble[] | null
}

/** Asks every thread that serves how it is doing. */
export const threadStatusTopic = defineTopic<null, ThreadStatus>('thread-status')

/** How this thread is doing. */
export function threadStatus(
  generation: number,
  services: ReadonlyMap<string, CurrentService>,
  connections: number,
  redis: RedisConnection | null,
): ThreadStatus {
  return {
    thread: threadId,
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

/** How the stores are, for threads that have found so much wrong; null where there are none but the memory. */
export function storeStatuses(threads: readonly ThreadStatus['redis'][]): StoreStatuses | null {
  const troubles = threads.filter((each) => each !== null)
  if (troubles.length === 0) return null
  return { redis: troubles.every((each) => each.length === 0) ? 'healthy' : 'degraded' }
}
