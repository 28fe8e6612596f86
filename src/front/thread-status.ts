import { performance } from 'node:perf_hooks'
import { threadId } from 'node:worker_threads'
import { defineTopic } from '../core/threads.ts'
import type { PoolSize } from '../http1/pool.ts'
import type { Service } from '../services/service.ts'

/** What one thread has to do with an instance at the moment. */
export interface InstanceTraffic extends PoolSize {
  /** Requests that wait for a reply, or whose reply is on its way. */
  readonly inFlight: number
}

/** How a thread that serves is doing. */
export interface ThreadStatus {
  /** Number of the thread in the process. */
  readonly thread: number
  /** Seconds. */
  readonly uptime: number
  /** Open client connections. */
  readonly connections: number
  /** Octets on its JavaScript heap. */
  readonly heap: number
  /** Share of its time in which it was busy, 0 to 1, since it began. */
  readonly busy: number
  /** Service -> what goes on with each instance, in the order of the configuration. */
  readonly services: Readonly<Record<string, readonly InstanceTraffic[]>>
}

/** Asks every thread that serves how it is doing. */
export const threadStatusTopic = defineTopic<null, ThreadStatus>('thread-status')

/** How this thread is doing. */
export function threadStatus(services: ReadonlyMap<string, Service>, connections: number): ThreadStatus {
  return {
    thread: threadId,
    uptime: performance.now() / 1000,
    connections,
    heap: process.memoryUsage().heapUsed,
    busy: performance.eventLoopUtilization().utilization,
    services: Object.fromEntries(
      [...services].map(([name, { instances }]) => [
        name,
        instances.map(({ pool, inFlight }) => ({ ...pool.size, inFlight })),
      ]),
    ),
  }
}
