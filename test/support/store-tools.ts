import { TopicHandlers } from '../../src/core/threads.ts'
import { ProcessStores } from '../../src/policies/process-stores.ts'
import type { StoreTools } from '../../src/policies/store-tools.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** The tools that stores are made with: one thread, room for that many counts, and no Redis, unless the test provides its own. */
export function storeTools({ entries = 64, ...parts }: Partial<StoreTools> & { entries?: number } = {}): StoreTools {
  const clock = parts.clock ?? new ManualClock()
  const { log } = createMemoryLogger('debug', clock)
  return {
    process: ProcessStores.create(entries),
    redis: null,
    threads: 1,
    worker: 0,
    opening: [],
    allThreads: new TopicHandlers(log),
    clock,
    log,
    ...parts,
  }
}
